"""What the client takes of a source that misbehaves on the wire."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.registry.verification import client as client_module
from services.registry.verification import judging
from services.registry.verification.answers import MALFORMED
from services.registry.verification.client import (
    SourceClient,
    SourceDownError,
    SourceRefusedError,
)
from services.registry.verification.sources import Source
from tests.support.ports import free_ports

ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PART = b"400\r\n" + b"[" * 0x400 + b"\r\n"


class Wire:
    """A server that says one thing to everybody and keeps the heads of what it was asked."""

    def __init__(self) -> None:
        self.says = b""
        self.endless = False
        self.sent = 0
        self.heads: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            writer.write(self.says)
            while self.endless:
                writer.write(PART)
                await writer.drain()
                self.sent += len(PART)
        except ConnectionError:
            self.endless = False
        writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Wire, str]]:
    wire, (port,) = Wire(), free_ports(1)
    server = await asyncio.start_server(wire.answer, "127.0.0.1", port)
    async with server:
        yield wire, f"http://127.0.0.1:{port}"


def status(line: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_an_answer_without_end_is_given_up(
    wire: tuple[Wire, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, url = wire
    monkeypatch.setattr(client_module, "TOO_LARGE", 100_000)
    served.says, served.endless = ENDLESS, True

    with pytest.raises(SourceDownError, match="too large"):
        await asyncio.wait_for(SourceClient(url).fetch(Source.BANK, []), 5)

    assert served.sent < 50_000_000


@pytest.mark.parametrize(
    ("says", "error", "words"),
    [
        (status("503 Down"), SourceDownError, "503"),
        (status("429 Slowly"), SourceDownError, "429"),
        (status("403 No"), SourceRefusedError, "source_refused_403"),
        (status("302 Elsewhere"), SourceRefusedError, "source_refused_302"),
        (status("200 OK", b"<html>"), SourceDownError, "not JSON"),
        (status("200 OK", b"[]"), SourceDownError, "no list of answers"),
        (b"", SourceDownError, "does not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", SourceDownError, "does not answer"),
    ],
)
async def test_what_is_no_answer(
    wire: tuple[Wire, str], says: bytes, error: type[Exception], words: str
) -> None:
    served, url = wire
    served.says = says
    with pytest.raises(error, match=words):
        await SourceClient(url).fetch(Source.BANK, [])


@pytest.mark.parametrize(("token", "shown"), [("abc\n", True), ("\n", False)])
async def test_a_token_is_read_at_each_call_and_an_empty_one_not_shown(
    wire: tuple[Wire, str], tmp_path: Path, token: str, *, shown: bool
) -> None:
    served, url = wire
    served.says = status("200 OK", b'{"answers": []}')
    file = tmp_path / "token"
    client = SourceClient(url, file)
    with pytest.raises(SourceDownError, match="token cannot be read"):
        await client.fetch(Source.BANK, [])

    file.write_text(token)
    assert await client.fetch(Source.BANK, []) == []

    (head,) = served.heads
    assert (b"authorization: bearer abc" in head.lower()) is shown


def test_the_page_for_gateways_names_every_source_and_failure() -> None:
    page = (Path(client_module.__file__).parent / "GATEWAY.md").read_text()
    told = {source.value for source in Source} | {
        judging.NOT_LIVE,
        judging.STOPPED,
        judging.NO_NUMBER,
        judging.UNREACHABLE,
        judging.ANOTHER_PERSON,
        MALFORMED,
    }
    assert {each for each in told if f"`{each}`" not in page} == set()
