"""Run a command and note every program that it and its descendants start, missing none.

The kernel stops each process of the command as it starts a program (ptrace: what strace is made
of, and there on any Linux), and its arguments and environment are read while it stands still. A
look at the process list from time to time would miss what lives for a few milliseconds only.
Of the values nothing is kept but whether the secret is among them.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Started", "started", "traced"]

# Source: https://man7.org/linux/man-pages/man2/ptrace.2.html (and <linux/ptrace.h>)
_CONT, _SEIZE, _LISTEN = 7, 0x4206, 0x4208
_FOLLOW_FORK, _FOLLOW_VFORK, _FOLLOW_CLONE, _SAY_EXEC, _KILL_AT_END = 2, 4, 8, 0x10, 0x100000
_OPTIONS = _FOLLOW_FORK | _FOLLOW_VFORK | _FOLLOW_CLONE | _SAY_EXEC | _KILL_AT_END
_EVENT_EXEC, _EVENT_STOP = 4, 128
_ANY_THREAD = 0x40000000  # __WALL
_STOPS = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


@dataclass(frozen=True, slots=True)
class Started:
    """A program that was started.

    Attributes:
        program: Path of what the kernel runs: of a script, its interpreter.
        arguments: Its argument list; the secret, where it was there, replaced.
        variables: Names of the environment variables whose values held the secret.
        shown: Whether an argument held the secret.
    """

    program: str
    arguments: tuple[str, ...]
    variables: tuple[str, ...]
    shown: bool

    @property
    def name(self) -> str:
        """The program's file name."""
        return Path(self.program).name


def traced(log: Path, secret: Path, *command: str) -> list[str]:
    """The words of a command that runs another one and notes what that one starts.

    Args:
        log: Added to, one line per program.
        secret: A file that holds what is looked for.
        command: The other one's words.
    """
    return [sys.executable, "-I", __file__, str(log), str(secret), *command]


def started(log: Path) -> list[Started]:
    """What a log holds so far."""
    return [
        Started(
            program=line["program"],
            arguments=tuple(line["arguments"]),
            variables=tuple(line["variables"]),
            shown=line["shown"],
        )
        for line in map(json.loads, log.read_text().splitlines())
    ]


def _note(log: int, secret: bytes, process: int) -> None:
    folder = Path("/proc", str(process))
    arguments = (folder / "cmdline").read_bytes()
    held = [
        variable.partition(b"=")[0].decode(errors="replace")
        for variable in (folder / "environ").read_bytes().split(b"\0")
        if secret in variable
    ]
    line = {
        "program": str((folder / "exe").readlink()),
        "arguments": arguments.replace(secret, b"SECRET").decode(errors="replace").split("\0")[:-1],
        "variables": held,
        "shown": secret in arguments,
    }
    os.write(log, json.dumps(line).encode() + b"\n")


def main(log: str, secret: str, *command: str) -> int:
    """Run a command to its end and return its exit code."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long

    def ptrace(request: int, process: int, data: int = 0) -> bool:
        return bool(libc.ptrace(request, process, None, data) != -1)

    wanted = Path(secret).read_bytes()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    held, go = os.pipe()
    root = os.fork()
    if root == 0:
        os.close(go)
        os.read(held, 1)  # until it is watched
        os.execvp(command[0], command)
    if not ptrace(_SEIZE, root, _OPTIONS):
        os.kill(root, signal.SIGKILL)
        raise OSError(ctypes.get_errno(), "this kernel lets no process be watched (ptrace)")
    # An interruption is the command's to answer; it is of the same process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(root, number))
    os.close(go)
    code = 1
    while True:
        try:
            process, status = os.waitpid(-1, _ANY_THREAD)
        except ChildProcessError:
            return code
        if not os.WIFSTOPPED(status):
            if process == root:
                code = os.waitstatus_to_exitcode(status)
            continue
        stop, event = os.WSTOPSIG(status), status >> 16
        if event == _EVENT_EXEC:
            _note(file, wanted, process)
        if event == _EVENT_STOP and stop in _STOPS:
            ptrace(_LISTEN, process)
        else:
            ptrace(_CONT, process, 0 if event else stop)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
