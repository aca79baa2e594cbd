"""Run LocalStack, and send the head of each answer together with its body.

`localstack.LocalStack` starts this file as a script.

LocalStack's HTTP server sends the head of an answer first and the body a millisecond later. On a
busy machine the AWS provider then loses the body. Go has sent the whole request and looks whether
its body has more. Meanwhile the SDK sees the head of the answer and closes the request's body. Go
takes that for a failure and closes the connection. The SDK repeats the request, which LocalStack
has carried out already: it refuses an alias that "already exists", or a target that is not there.

Go reads 4,096 bytes at a time. A longer answer can still be lost; those of calls that change
something are shorter.

Sources:
    https://github.com/golang/go/blob/go1.23.10/src/net/http/transfer.go (`writeBody`)
    https://github.com/aws/smithy-go/blob/main/transport/http/client.go (`Handle`)
    https://github.com/aws/smithy-go/blob/main/transport/http/internal/io/safe.go (`WriteTo`)
    https://github.com/pgjones/hypercorn/blob/main/src/hypercorn/protocol/h11.py (`stream_send`)
"""

from __future__ import annotations

import runpy
from typing import Any

import hypercorn.protocol
from hypercorn.events import Event, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Response
from hypercorn.protocol.h11 import H11Protocol


class WholeAnswers(H11Protocol):
    """HTTP/1.1, with the head of an answer held until the first of what follows it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._send_now = self.send
        self.send = self._send_with_head
        self._is_head = False
        self._head = b""

    async def stream_send(self, event: StreamEvent) -> None:
        """Send a part of an answer, or hold it when it is the head."""
        self._is_head = isinstance(event, Response)
        await super().stream_send(event)

    async def _send_with_head(self, event: Event) -> None:
        if isinstance(event, RawData):
            data, self._head = self._head + event.data, b""
            if self._is_head:
                self._head = data
                return
            event = RawData(data)
        await self._send_now(event)


if __name__ == "__main__":
    vars(hypercorn.protocol)["H11Protocol"] = WholeAnswers
    runpy.run_module("localstack.runtime.main", run_name="__main__")
