"""Requests for ``tests.bench.load``, and one run of it as a ``Run``."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from tests.bench.load import pack
from tests.bench.row import Run, rate

CONNECTIONS = 32
_HOUSE = Path(__file__).parents[2]


def request(
    method: str, path: str, headers: Mapping[str, str], body: Mapping[str, object] | None = None
) -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{k}: {v}" for k, v in headers.items())]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def load(folder: Path, address: str, requests: Sequence[bytes]) -> Run:
    """Send these over 32 connections from another process. Raises when one is not answered 2xx."""
    place = folder / f"requests-{uuid4().hex}"
    place.write_bytes(pack(requests))
    host, port = urlsplit(address).hostname, urlsplit(address).port
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.load", str(place), str(host), str(port)),
        str(CONNECTIONS),
        cwd=_HOUSE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    place.unlink()
    if process.returncode:
        raise RuntimeError(f"the load generator ended with code {process.returncode}")
    told = orjson.loads(output)
    if told["bad"] or told["answered"] != len(requests):
        raise RuntimeError(
            f"{told['bad']} of {len(requests)} went wrong, first: {told['first_bad']}"
        )
    return rate(
        told["answered"],
        told["seconds"],
        **{"p50 ms": told["p50_ms"], "p99 ms": told["p99_ms"], "load CPU s": told["cpu_seconds"]},
    )
