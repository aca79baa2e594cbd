"""The emulator as a process of its own over real sockets, with the customer's AWS as a double.

python emulator_process.py GO    prints its base URL, and runs until it is told to stop

What is slow is slow until there is a file GO: a test decides when, not the clock.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from stage import TrueCloud

from ekm.emulator.app import create_app
from ekm.emulator.auth import AdminKeys
from ekm.emulator.context import Emulator
from ekm.emulator.server import Connections, base_address, bind, serve
from ekm.emulator.store import Store


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
