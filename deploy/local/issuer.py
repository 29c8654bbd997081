"""The token issuer of development: OIDC discovery, JWKS, and tokens for whoever asks.

It listens on 127.0.0.1 alone and trusts everyone who reaches it. Production uses the city's own
OIDC provider; services know an issuer by its JWKS address and name only.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form

from deploy.local.tokens import LIFETIME, Signer, open_signer


def create() -> FastAPI:
    """The issuer's app: BANGFU_ISSUER is its name and address, BANGFU_SIGNING_KEY its key file."""
    signer = open_signer(Path(os.environ["BANGFU_SIGNING_KEY"]), os.environ["BANGFU_ISSUER"])
    app = FastAPI(title="Bangfu development issuer", version="1")
    app.state.signer = signer
    app.get("/.well-known/openid-configuration")(lambda: _discovery(signer))
    app.get("/jwks.json")(lambda: signer.jwks)
    app.post("/token")(_token_route(signer))
    app.get("/readyz")(lambda: {"status": "ready"})
    return app


def _discovery(signer: Signer) -> dict[str, Any]:
    return {
        "issuer": signer.issuer,
        "jwks_uri": f"{signer.issuer}/jwks.json",
        "token_endpoint": f"{signer.issuer}/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }


def _token_route(signer: Signer) -> Any:
    async def token(
        scope: Annotated[str, Form()] = "",
        divisions: Annotated[str, Form()] = "331124",
        officer_id: Annotated[str | None, Form()] = None,
        bureau: Annotated[str, Form()] = "civil-affairs",
    ) -> dict[str, Any]:
        """A token of these scopes (spaces between) and divisions (commas between)."""
        access = signer.sign(
            scopes=scope.split(),
            officer=officer_id,
            divisions=[code for code in divisions.split(",") if code],
            claims={"bureau": bureau},
        )
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": scope,
        }

    return token
