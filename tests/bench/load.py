"""The load: ``python -m tests.bench.load <requests> <host> <port> <connections>``, JSON out.

A process of its own, and cheap: ready-made requests over keep-alive connections, each sent when the
one before is answered. It reads of an answer the status and the length and nothing else.
"""

import asyncio
import statistics
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import orjson
import uvloop

_LENGTH = struct.Struct("<I")
_MOST_SECONDS = 300
_HEAD_END = b"\r\n\r\n"
_CONTENT_LENGTH = b"content-length:"


def pack(requests: Sequence[bytes]) -> bytes:
    """Requests as the file that this program reads."""
    return b"".join(_LENGTH.pack(len(each)) + each for each in requests)


def unpack(data: bytes) -> Iterator[bytes]:
    """The requests of such a file."""
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        yield data[at : at + length]
        at += length


class Client(asyncio.Protocol):
    """One connection: takes the next request from those that all connections share."""

    def __init__(self, requests: Iterator[bytes], seconds: list[float], bad: list[str]) -> None:
        self._requests = requests
        self._seconds = seconds
        self._bad = bad
        self._buffer = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._next()

    def data_received(self, data: bytes) -> None:
        """Go on to the next request once an answer is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        start = head.find(_CONTENT_LENGTH) + len(_CONTENT_LENGTH)
        length = int(head[start : start + 12].split(b"\r", 1)[0])
        if len(self._buffer) < end + len(_HEAD_END) + length:
            return
        self._seconds.append(time.perf_counter() - self._sent_at)
        if head[9:10] != b"2":
            self._bad.append(self._buffer[:1500].decode(errors="replace"))
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that hangs up has failed."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def main(
    waiting: Iterator[bytes], host: str, port: int, connections: int
) -> dict[str, object]:
    """Send everything; gives how long it took and how it was answered."""
    seconds: list[float] = []
    bad: list[str] = []
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    clients = [
        (await loop.create_connection(lambda: Client(waiting, seconds, bad), host, port))[1]
        for _ in range(connections)
    ]
    async with asyncio.timeout(_MOST_SECONDS):
        await asyncio.gather(*(client.done for client in clients))
    took = time.perf_counter() - started
    cuts = statistics.quantiles(seconds, n=100)
    return {
        "seconds": took,
        "answered": len(seconds),
        "bad": len(bad),
        "first_bad": bad[0] if bad else None,
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
        "cpu_seconds": time.process_time(),
    }


if __name__ == "__main__":
    place, host, port, connections = sys.argv[1:]
    ready = iter(list(unpack(Path(place).read_bytes())))
    told = uvloop.run(main(ready, host, int(port), int(connections)))
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
