"""The token issuer of development: OIDC discovery, JWKS, sign-in, and tokens for whoever asks.

It listens on 127.0.0.1 alone and trusts everyone who reaches it. Production uses the city's own
OIDC provider; services know an issuer by its JWKS address and name only.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form

from deploy.local.signin import SignIn, add_routes
from deploy.local.tokens import LIFETIME, Signer, open_signer


def create() -> FastAPI:
    """The issuer's app: BANGFU_ISSUER is its name and address, BANGFU_SIGNING_KEY its key file."""
    signer = open_signer(Path(os.environ["BANGFU_SIGNING_KEY"]), os.environ["BANGFU_ISSUER"])
    app = FastAPI(title="Bangfu development issuer", version="1")
    app.state.signer = signer
    app.get("/.well-known/openid-configuration")(lambda: _discovery(signer))
    app.get("/jwks.json")(lambda: signer.jwks)
    signin = SignIn(signer)
    add_routes(app, signin)
    app.post("/token")(_token_route(signer, signin))
    app.get("/readyz")(lambda: {"status": "ready"})
    return app


def _discovery(signer: Signer) -> dict[str, Any]:
    return {
        "issuer": signer.issuer,
        "jwks_uri": f"{signer.issuer}/jwks.json",
        "authorization_endpoint": f"{signer.issuer}/authorize",
        "token_endpoint": f"{signer.issuer}/token",
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": ["code", "token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }


def _token_route(signer: Signer, signin: SignIn) -> Any:
    async def token(
        *,
        grant_type: Annotated[str, Form()] = "client_credentials",
        code: Annotated[str, Form()] = "",
        code_verifier: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        redirect_uri: Annotated[str, Form()] = "",
        scope: Annotated[str, Form()] = "",
        divisions: Annotated[str, Form()] = "331124",
        officer_id: Annotated[str | None, Form()] = None,
        bureau: Annotated[str, Form()] = "civil-affairs",
    ) -> Any:
        """For a code, its tokens; else one of these scopes (spaces) and divisions (commas)."""
        if grant_type == "authorization_code":
            return signin.redeem(
                code=code, client_id=client_id, redirect_uri=redirect_uri, verifier=code_verifier
            )
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
