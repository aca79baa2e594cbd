"""The emulator as a process of its own over real sockets, with the customer's AWS as a double.

python -m tests.doubles.emulator_process    reads a path GO per line, and answers with a base URL

Each line starts an emulator with nothing in it, and an empty line ends it. The emulator is a fork
of a process that has imported everything, which takes longer than what most tests do with it.
What is slow is slow until there is a file GO: a test decides when, not the clock.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import AdminKeys
from openai_ekm.emulator.server import Connections, base_address, bind, serve
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import Store
from tests.doubles.faults_stage import SECRET, TrueCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def imported() -> Iterator[subprocess.Popen[str]]:
    """Start the process that forks emulators."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.doubles.emulator_process"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "OPENAI_ADMIN_KEY": SECRET},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process  # its end closes stdin, at which the process ends


@contextmanager
def emulator(process: subprocess.Popen[str], go: Path) -> Iterator[str]:
    """Run an emulator with nothing in it.

    Args:
        process: What `imported` started.
        go: The file that lets what is slow go on.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    print(go, file=process.stdin, flush=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        print(file=process.stdin, flush=True)


def run(go: Path) -> None:
    """Serve until SIGTERM."""
    listener = bind("127.0.0.1", 0)
    emulator = Emulator(
        Store(), AdminKeys.from_environment(os.environ), TrueCloud(time.time), time.time
    )
    connections = Connections()

    def over() -> bool:
        return go.exists() or connections._stopping.is_set()

    async def sleep(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not over():
            await connections.sleep(0.05)

    app = create_app(emulator, hang_up=connections.hang_up, sleep=sleep)
    address = base_address(listener)

    def ready() -> None:
        os.write(1, f"{address}\n".encode())

    serve(app, listener, connections, ready)


def main() -> None:
    """Start and end emulators, one at a time."""
    running = 0

    def end() -> None:
        nonlocal running
        if running:
            os.kill(running, signal.SIGTERM)
            os.waitpid(running, 0)
            running = 0

    for line in sys.stdin:
        end()
        if go := line.rstrip("\n"):
            running = os.fork()
            if not running:
                try:
                    run(Path(go))
                except BaseException:  # noqa: BLE001 - whatever it is, the process ends
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
    end()


if __name__ == "__main__":
    main()
