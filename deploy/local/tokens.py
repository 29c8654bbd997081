"""Signs the development tokens that the issuer, `make token` and the tests hand out (ES256)."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.processes import write_whole
from shared import clock

AUDIENCE = "bangfu"
LIFETIME = timedelta(hours=8)
_ALGORITHM = "ES256"


class Signer:
    """One private key, the issuer name that goes with it, and its public half as a JWKS."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, issuer: str) -> None:
        self.issuer = issuer
        self._key = key
        self.jwks = {"keys": [_public(key)]}

    def sign(
        self,
        *,
        scopes: Iterable[str],
        officer: str | None,
        divisions: Iterable[str],
        claims: Mapping[str, Any] | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> str:
        """A token of these rights; ``claims`` adds to, or replaces, what it says."""
        now = clock.now()
        said = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": f"account-{officer}" if officer else "service-account",
            "officer_id": officer,
            "name": officer,
            "bureau": "civil-affairs",
            "unit": "development",
            "divisions": list(divisions),
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + lifetime,
        }
        kept = {
            name: value for name, value in (said | dict(claims or {})).items() if value is not None
        }
        key_id = self.jwks["keys"][0]["kid"]
        return jwt.encode(kept, self._key, algorithm=_ALGORITHM, headers={"kid": key_id})


def open_signer(key_file: Path, issuer: str) -> Signer:
    """The signer of this key file, made on first use and readable by its owner alone."""
    if not key_file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_whole(key_file, pem.decode(), mode=0o600)
    read = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(read, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{key_file} holds no elliptic-curve key: delete it, a new one is made")
    return Signer(read, issuer)


def _public(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    public = {"crv": "P-256", "kty": "EC", "x": _word(numbers.x), "y": _word(numbers.y)}
    thumb = hashlib.sha256(json.dumps(public, separators=(",", ":"), sort_keys=True).encode())
    key_id = base64.urlsafe_b64encode(thumb.digest()).decode().rstrip("=")
    return public | {"kid": key_id, "alg": _ALGORITHM, "use": "sig"}


def _word(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
