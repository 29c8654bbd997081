"""Tokens for tests, checked by the services as in production: over HTTP, against a JWKS."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from deploy.local.tokens import Signer, open_signer

ISSUER = "http://issuer.test"


class Tokens:
    """Calls for a token: ``tokens(scopes=["registry.households:read"])``."""

    def __init__(self, signer: Signer, jwks_url: str) -> None:
        self.jwks_url = jwks_url
        self.issuer = signer.issuer
        self._signer = signer

    def __call__(
        self,
        *,
        scopes: Iterable[str] | str = (),
        officer: str | None = "o1",
        divisions: Iterable[str] = ("331124",),
        **claims: Any,
    ) -> str:
        """A signed token; further keywords become, or replace, claims (None leaves one out).

        Of civil affairs, as ``make token`` gives it unless another bureau is named.
        """
        claims = {"bureau": "civil-affairs"} | claims
        names = scopes.split() if isinstance(scopes, str) else scopes
        return self._signer.sign(scopes=names, officer=officer, divisions=divisions, claims=claims)

    def headers(self, **rights: Any) -> dict[str, str]:
        """The Authorization header of such a token."""
        return {"Authorization": f"Bearer {self(**rights)}"}


@contextmanager
def serving_tokens(folder: Path) -> Iterator[Tokens]:
    """A signing key in ``folder`` and a small HTTP server that publishes its public half."""
    signer = open_signer(folder / "signing-key.pem", ISSUER)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _publishing(signer.jwks))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Tokens(signer, f"http://127.0.0.1:{server.server_port}/jwks.json")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _publishing(jwks: Mapping[str, Any]) -> type[BaseHTTPRequestHandler]:
    body = json.dumps(jwks).encode()

    class Publish(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """A test's output stays its own."""

    return Publish
