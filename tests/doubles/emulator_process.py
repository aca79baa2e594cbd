"""The emulator as a process of its own over real sockets, with the customer's AWS as a double.

python -m tests.doubles.emulator_process GO    prints its base URL, and runs until it is ended

What is slow is slow until there is a file GO: a test decides when, not the clock.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import AdminKeys
from openai_ekm.emulator.server import Connections, base_address, bind, serve
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import Store
from tests.doubles.faults_stage import TrueCloud


def main() -> None:
    """Serve."""
    listener = bind("127.0.0.1", 0)
    emulator = Emulator(
        Store(), AdminKeys.from_environment(os.environ), TrueCloud(time.time), time.time
    )
    connections = Connections()
    go = Path(sys.argv[1])

    def over() -> bool:
        return go.exists() or connections._stopping.is_set()

    async def sleep(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not over():
            await connections.sleep(0.01)

    app = create_app(emulator, hang_up=connections.hang_up, sleep=sleep)
    address = base_address(listener)

    def ready() -> None:
        os.write(1, f"{address}\n".encode())

    serve(app, listener, connections, ready)


if __name__ == "__main__":
    main()
