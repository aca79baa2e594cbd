"""`ekm completion` in the shells that this machine has: bash always, zsh and fish where found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
SCRIPTS = {
    "bash": 'eval "$(ekm completion bash)"\n'
    "complete -p ekm ekm-register > /dev/null\n"
    "COMP_WORDS=(ekm dr); COMP_CWORD=1; _ekm_completion ekm; echo ${COMPREPLY[@]}\n"
    "COMPREPLY=(); COMP_WORDS=(ekm-register --prof); COMP_CWORD=1\n"
    "_ekm_register_completion ekm-register; echo ${COMPREPLY[@]}",
    "fish": "ekm completion fish | source\n"
    'complete -C "ekm dr" | cut -f1\ncomplete -C "ekm-register --prof" | cut -f1',
    "zsh": "autoload -U compinit; compinit -u -D\n"
    'eval "$(ekm completion zsh)"\n'
    '[[ "${_comps[ekm]} ${_comps[ekm-register]}" == "_ekm_completion _ekm_register_completion" ]]'
    " || exit 1\n"
    '_describe() { print -l -- "${(@)${(@P)3}%%:*}" }\n'
    "words=(ekm dr) CURRENT=2; _ekm_completion\n"
    "words=(ekm-register --prof) CURRENT=2; _ekm_register_completion",
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_completes_verbs_and_options(shell: str, tmp_path: Path) -> None:
    """Guards against: a script that the shell refuses, or that completes nothing."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} on this machine")
    done = subprocess.run(
        [program, *(["-f"] if shell == "zsh" else []), "-c", SCRIPTS[shell]],
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == (["drift", "drill", "--profile"], "")
