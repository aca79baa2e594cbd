"""`ekm` in a process of its own that need not import anything: the fork of one that has done so.

python -P forked_ekm.py FD    runs what comes over the socket, one after the other

It takes a second to import boto3 and the rest, which is most of what a short verb does. A fork has
its own variables, folder, session and streams; only the imports happen before they are known.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Ekm", "imported"]

LARGEST = 1 << 20  # bytes of one request


class Ekm:
    """Runs `ekm` without a terminal and with nobody at its input."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def run(
        self, *words: str, env: Mapping[str, str], cwd: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end.

        Args:
            words: The verb and its options.
            env: Every variable that there is.
            cwd: The folder that it runs in.
        """
        request = json.dumps({"words": words, "env": dict(env), "cwd": str(cwd)}).encode()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            socket.send_fds(self._channel, [request], [out.fileno(), err.fileno()])
            code = json.loads(self._channel.recv(LARGEST))
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode())
        return subprocess.CompletedProcess(["ekm", *words], code, *texts)


@contextmanager
def imported() -> Iterator[Ekm]:
    """Start the process that is forked."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(300)
        process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).resolve()), str(theirs.fileno())],
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        with process:
            try:
                yield Ekm(ours)
            finally:
                ours.close()  # at which it ends


def serve(channel: socket.socket) -> None:
    """Fork for each request until the other side is gone."""
    import boto3  # noqa: F401, PLC0415 - what a fork finds imported

    from openai_ekm.cli import doctor, register, snapshot  # noqa: F401, PLC0415 - see above
    from openai_ekm.cli.main import main  # noqa: PLC0415 - see above

    while True:
        request, streams, _, _ = socket.recv_fds(channel, LARGEST, 2)
        if not request:
            return
        child = os.fork()
        if not child:
            channel.close()
            become(json.loads(request), streams)
            main()
            return
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        channel.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())


def become(request: dict[str, object], streams: list[int]) -> None:
    """Take variables, folder, session and streams of a run."""
    os.setsid()
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])  # type: ignore[call-overload]
    os.chdir(str(request["cwd"]))
    sys.argv = ["ekm", *request["words"]]  # type: ignore[misc]


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
