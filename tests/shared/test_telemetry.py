"""Traces: off by default; where an endpoint is set, a span a request, without addresses."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared import telemetry

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

# a process of its own: a tracer provider is set once for good
_APP = """
import asyncio, sys, httpx
from fastapi import FastAPI
from shared import logs, telemetry
from shared.api import NO_NATIVE_TELEMETRY
from shared.middleware import RequestEdge

app = FastAPI(telemetry=NO_NATIVE_TELEMETRY)
app.add_middleware(RequestEdge, service="notify")

@app.get("/v1/things/{name}")
async def thing(name: str) -> str | None:
    return logs.traceparent()

@app.get("/crash")
async def crash() -> None:
    raise RuntimeError("secret")

async def main() -> None:
    provider = telemetry.configure("notify")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
        headers = {"traceparent": sys.argv[1]}
        answer = await client.get("/v1/things/secret?q=secret", headers=headers)
        print("ANSWER", answer.text)
        await client.get("/crash")
    provider.shutdown()

asyncio.run(main())
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A real OTLP endpoint: its address and what it got."""
    got: list[ExportTraceServiceRequest] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collect)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_span_a_request_in_the_callers_trace(
    collector: tuple[str, list[ExportTraceServiceRequest]],
) -> None:
    endpoint, got = collector
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _APP,
        f"00-{TRACE}-00f067aa0ba902b7-01",
        env={**os.environ, telemetry.ENDPOINT: endpoint, "OTEL_BSP_SCHEDULE_DELAY": "10"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    spans = {
        span.name: span
        for request in got
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert set(spans) == {"GET /v1/things/{name}", "GET /crash"}
    served = spans["GET /v1/things/{name}"]
    assert served.trace_id.hex() == TRACE
    # what events and calls onwards carry is this span, in the caller's trace
    assert f"00-{TRACE}-{served.span_id.hex()}-01" in output.decode()
    assert "secret" not in str(spans)
    assert spans["GET /crash"].status.code == 2


async def test_off_without_an_endpoint(
    things: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(telemetry.ENDPOINT, raising=False)
    assert telemetry.configure("notify") is None
    await things.get("/v1/things")
    assert not trace.get_current_span().get_span_context().is_valid
