"""Signing in at the city's OIDC provider: discovery, authorization code with PKCE, id token.

The console is a public client: no secret, S256 instead. State ties the answer to the browser that
asked, nonce the id token to this sign-in.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from shared.auth import Tokens

SCOPES = (
    "openid profile notify.figures:read notify.timelines:read notify.notices:read "
    "registry.households:read"
)
"""What the console asks for; a page whose scope was not granted says so."""


class SignInError(Exception):
    """Signing in did not succeed; ``zh`` tells the officer why and what to do."""

    def __init__(self, zh: str) -> None:
        super().__init__(zh)
        self.zh = zh


UNREACHABLE = "统一身份认证暂时无法连接，请稍后再试。"
REFUSED = "统一身份认证没有确认这次登录，请重新登录。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sign-in under way, kept sealed in the browser's cookie until it comes back."""

    state: str
    nonce: str
    verifier: str
    after: str

    @classmethod
    def begin(cls, after: str) -> "Attempt":
        """A new one, to go on at the page ``after``."""
        return cls(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            after=after,
        )

    def document(self) -> dict[str, str]:
        """The same as plain values."""
        return asdict(self)


class Provider:
    """The OIDC provider as its discovery document describes it, read on first use."""

    def __init__(self, client: httpx.AsyncClient, *, issuer: str, client_id: str) -> None:
        self._client = client
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._known: dict[str, Any] = {}
        self._id_tokens: Tokens | None = None

    async def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where to send the browser. Raises SignInError when the provider cannot be reached."""
        known = await self._discovered()
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{known['authorization_endpoint']}?{urlencode(asked)}"

    async def redeem(self, attempt: Attempt, code: str, redirect_uri: str) -> str:
        """The access token for ``code``, once the id token is verified. Raises SignInError."""
        known = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        try:
            answer = await self._client.post(known["token_endpoint"], data=form)
        except httpx.HTTPError as failed:
            raise SignInError(UNREACHABLE) from failed
        if not answer.is_success:
            raise SignInError(REFUSED)
        try:
            tokens = answer.json()
            id_token, access = str(tokens["id_token"]), str(tokens["access_token"])
        except (ValueError, KeyError, TypeError) as broken:
            raise SignInError(REFUSED) from broken
        await self._check(id_token, attempt.nonce)
        return access

    async def _check(self, id_token: str, nonce: str) -> None:
        if self._id_tokens is None:
            raise SignInError(UNREACHABLE)
        # signature, issuer, audience and expiry; only then is the rest worth reading
        await self._id_tokens.verify(id_token)
        claims = jwt.decode(id_token, options={"verify_signature": False})
        if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
            raise SignInError(REFUSED)

    async def _discovered(self) -> dict[str, Any]:
        if not self._known:
            address = f"{self._issuer}/.well-known/openid-configuration"
            try:
                answer = (await self._client.get(address)).raise_for_status()
                known = dict(answer.json())
                jwks_url = str(known["jwks_uri"])
                right = known["issuer"].rstrip("/") == self._issuer
                for needed in ("authorization_endpoint", "token_endpoint"):
                    known[needed] = str(known[needed])
            except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as failed:
                raise SignInError(UNREACHABLE) from failed
            if not right:
                raise SignInError("统一身份认证的地址与配置不一致，请联系系统管理员。")
            self._id_tokens = Tokens(
                jwks_url=jwks_url, issuer=known["issuer"], audience=self._client_id
            )
            self._known = known
        return self._known


def expiry_of(access_token: str) -> datetime:
    """When a token that was verified before expires."""
    claims = jwt.decode(access_token, options={"verify_signature": False})
    return datetime.fromtimestamp(float(claims["exp"]), UTC)
