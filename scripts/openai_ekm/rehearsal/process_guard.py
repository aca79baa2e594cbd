"""Run a command, and end it when the process that started it is gone.

`process.GuardedProcess` starts this file as a script, with the standard library alone. The starter
holds the write end of this process's standard input. When the starter ends, for any reason, that
input closes. A test run that is killed therefore leaves no server behind.

Usage: process_guard.py GRACE_SECONDS COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import threading

STAY = b"stay"  # said before standard input closes: outlive the starter


def main(grace: float, command: list[str]) -> int:
    """Run the command until it ends, SIGTERM comes, or standard input closes.

    Args:
        grace: Seconds between SIGTERM and SIGKILL.
        command: The words to run.

    Returns:
        The exit code of the command; a death by signal as the shell counts it (128 + n).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the starter's to handle
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # nosec B603 # starting LocalStack is its job, without a shell

    def starter_gone() -> None:
        # os.read, not sys.stdin: a buffered reader's lock would abort the interpreter at exit.
        said = b""
        while part := os.read(0, 4096):
            said += part
        if said != STAY:
            stopping.set()

    def end_on_request() -> None:
        stopping.wait()
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            child.kill()

    for watch in (starter_gone, end_on_request):
        threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    # What the command started itself is in this group; this process ignores the signal.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(0, signal.SIGTERM)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
