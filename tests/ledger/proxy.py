"""A TCP proxy that stands on every hop and can hold, delay, cut or deafen it.

A process of its own, told what to do by one JSON object a line on its standard input. It rewrites
nothing: Kafka and PostgreSQL are reached through it because that is the address they are given.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

DELAY = 0.2
"""Seconds that ``Mode.SLOW`` adds, each way."""
_HELD_AT_MOST = 1_000_000


class Mode(StrEnum):
    """How a hop behaves."""

    OPEN = "open"
    BLACK_HOLE = "black hole"
    """Nothing goes through and nothing is refused; what was sent arrives when it opens again."""
    SLOW = "slow"
    RESET = "reset"
    """Every connection is cut, new ones at once."""
    DEAF = "deaf"
    """Requests arrive, answers do not; at the end such connections are cut."""


@dataclass(slots=True)
class Hop:
    """One listening port and where it leads."""

    upstream: int
    mode: Mode = Mode.OPEN
    pairs: set["_Pair"] = field(default_factory=set)

    def turn(self, mode: Mode) -> None:
        """Change what happens on this hop, for open connections as well."""
        was, self.mode = self.mode, mode
        for pair in list(self.pairs):
            if mode is Mode.RESET or (was is Mode.DEAF and mode is Mode.OPEN):
                pair.cut()
            else:
                pair.breathe()


class _Pair:
    """A client's connection and its twin to the server."""

    def __init__(self, hop: Hop) -> None:
        self.hop = hop
        self.sides: dict[bool, _Side] = {}

    def cut(self) -> None:
        for side in self.sides.values():
            if side.transport is not None:
                side.transport.abort()
        self.hop.pairs.discard(self)

    def breathe(self) -> None:
        for side in list(self.sides.values()):
            side.breathe()


class _Side(asyncio.Protocol):
    """One end; what it reads goes to the other end as the hop's mode says."""

    def __init__(self, pair: _Pair, *, to_server: bool) -> None:
        self.pair = pair
        self.to_server = to_server
        self.transport: Any = None
        self.choked = False
        self.held = bytearray()
        self.ended = False
        pair.sides[to_server] = self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if not self.to_server:
            self.pair.breathe()
        elif self.pair.hop.mode is Mode.RESET:
            self.pair.cut()
        else:
            self.pair.hop.pairs.add(self.pair)
            asyncio.ensure_future(self._reach())  # noqa: RUF006 - it ends by itself

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: _Side(self.pair, to_server=False), "127.0.0.1", self.pair.hop.upstream
            )
        except OSError:
            self.pair.cut()

    def data_received(self, data: bytes) -> None:
        self.held += data
        self.breathe()

    def breathe(self) -> None:
        """Pass on what is held, as far as the mode and the other end allow it."""
        mode, other = self.pair.hop.mode, self.pair.sides.get(not self.to_server)
        if self.transport is None or other is None or other.transport is None:
            return
        if mode is Mode.DEAF and not self.to_server:
            self.held.clear()
        elif mode is not Mode.BLACK_HOLE and self.held:
            said = bytes(self.held)
            self.held.clear()
            if mode is Mode.SLOW:
                asyncio.get_running_loop().call_later(DELAY, other.send, said)
            else:
                other.send(said)
        if self.ended and not self.held:
            other.transport.close()
        self._choke(len(self.held) > _HELD_AT_MOST or other.choked)

    def send(self, said: bytes) -> None:
        """Towards whoever is at this end; one that has gone gets nothing."""
        if not self.transport.is_closing():
            self.transport.write(said)

    def _choke(self, wanted: bool) -> None:
        if self.transport.is_closing():
            return
        (self.transport.pause_reading if wanted else self.transport.resume_reading)()

    def pause_writing(self) -> None:
        self.choked = True
        self.pair.breathe()

    def resume_writing(self) -> None:
        self.choked = False
        self.pair.breathe()

    def connection_lost(self, exc: Exception | None) -> None:
        other = self.pair.sides.get(not self.to_server)
        if exc is not None or other is None or other.transport is None:
            self.pair.cut()
            return
        self.ended = True
        if self.pair.hop.mode is Mode.OPEN:
            other.transport.close()
            self.pair.hop.pairs.discard(self.pair)


def client_of(hop: Hop) -> asyncio.Protocol:
    """What a listening socket of ``hop`` makes of every connection."""
    return _Side(_Pair(hop), to_server=True)


async def _serve(ports: Mapping[int, int]) -> None:
    loop = asyncio.get_running_loop()
    hops = {port: Hop(upstream) for port, upstream in ports.items()}
    for port, hop in hops.items():
        await loop.create_server(partial(client_of, hop), "127.0.0.1", port, backlog=200)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        hops[order["port"]].turn(Mode(order["mode"]))


class Proxies:
    """The proxy process: hops by name, each ``client>server``, and their modes."""

    def __init__(self, ports: Mapping[str, tuple[int, int]]) -> None:
        self.ports = {name: listening for name, (listening, _) in ports.items()}
        self._upstreams = dict(ports.values())
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, root: Path, log: Path) -> None:
        """Start it; the hops are open."""
        with log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.ledger.proxy",
                json.dumps(self._upstreams),
                cwd=root,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def turn(self, name: str, mode: Mode) -> None:
        """Change a hop's mode."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise RuntimeError("the proxies are not running: see their log")
        order = {"port": self.ports[name], "mode": mode}
        process.stdin.write(json.dumps(order).encode() + b"\n")

    async def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


def main() -> None:
    """Serve the hops given as JSON, listening port to upstream port."""
    ports = {int(port): upstream for port, upstream in json.loads(sys.argv[1]).items()}
    uvloop.run(_serve(ports))


if __name__ == "__main__":
    main()
