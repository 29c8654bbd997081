"""Who asks: OAuth2 bearer tokens (JWT) checked against the issuer's published keys.

A route says what it needs with ``Annotated[Caller, requires("registry.households:read")]``; rules
compare ``officer_id`` (one human, even with two accounts).
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase

from shared import logs
from shared.errors import Forbidden, TryAgain, Unauthorized

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
"""Asymmetric signatures only: a shared secret would let every service mint tokens."""
REFETCH_SECONDS = 30.0
"""A token naming an unknown key asks the issuer at most this often, or junk tokens would flood
it; a new key is known this many seconds after its first use at the latest."""
KEYS_LIVE_SECONDS = 600.0
"""A key that the issuer withdrew is refused after this long."""
LEEWAY_SECONDS = 30
"""Clocks of two machines may differ by this much."""
MOST_TOKEN_CHARACTERS = 8192
MOST_REMEMBERED = 4096
"""Tokens whose signature need not be checked again; the oldest goes first."""
MOST_DIVISIONS = 500
PREFIX_LENGTHS = frozenset({2, 4, 6, 9, 12})
"""GB/T 2260 and the statistics bureau's codes: province, city, county, township, village."""

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks and what their token allows. ``divisions`` are code prefixes; none sees nothing."""

    sub: str
    officer_id: str | None = None
    bureau: str | None = None
    unit: str | None = None
    name: str | None = None
    divisions: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()

    def can(self, scope: str) -> bool:
        """Whether the token grants ``scope``."""
        return scope in self.scopes

    def covers(self, division_code: str) -> bool:
        """Whether ``division_code`` lies in the caller's divisions."""
        return any(division_code.startswith(prefix) for prefix in self.divisions)


def officer_of(caller: Caller) -> str:
    """The officer who signs. Raises Forbidden (``officer_unknown``) for a token that names none."""
    if caller.officer_id is None:
        raise Forbidden("officer_unknown", "this token names no officer, and a person must sign")
    return caller.officer_id


def system_caller(service: str) -> Caller:
    """The service itself, as its worker and its commands act: everywhere, no scopes."""
    return Caller(sub=f"system:{service}", bureau="system", unit=service, divisions=("",))


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was checked: whom it names, until when, and against which keys."""

    caller: Caller
    expires: float
    keys_fetched_at: float


class Tokens:
    """Checks tokens of one issuer for one audience, holding the issuer's keys in memory."""

    def __init__(self, *, jwks_url: str, issuer: str, audience: str) -> None:
        self._url = jwks_url
        self._issuer = issuer
        self._audience = audience
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._fetched_at = float("-inf")
        self._asking = asyncio.Lock()
        self._remembered: OrderedDict[str, _Verified] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """The caller that ``token`` names. Raises Unauthorized, or TryAgain without any keys."""
        remembered = self._remembered.get(token)
        if remembered is not None and self._still_holds(remembered):
            return remembered.caller
        if len(token) > MOST_TOKEN_CHARACTERS:
            raise Unauthorized("token_invalid", "the token is longer than any we issue")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as broken:
            raise Unauthorized("token_invalid", "the token is not a JWT") from broken
        key = await self._key(header.get("kid"))
        if header.get("alg") not in ALGORITHMS or header["alg"] != key.algorithm_name:
            raise Unauthorized("token_invalid", "the token's algorithm is not accepted")
        claims = self._claims(token, key)
        caller = caller_of(claims)
        self._remember(token, _Verified(caller, float(claims["exp"]), self._fetched_at))
        return caller

    def _still_holds(self, remembered: "_Verified") -> bool:
        """Not past its end, and checked with the keys of today: a key withdrawn is gone from them.

        Once the keys are old enough to be asked for again, every token is checked anew.
        """
        in_time = time.time() < remembered.expires + LEEWAY_SECONDS
        same_keys = remembered.keys_fetched_at == self._fetched_at
        return in_time and same_keys and time.monotonic() - self._fetched_at < KEYS_LIVE_SECONDS

    def _remember(self, token: str, verified: "_Verified") -> None:
        self._remembered[token] = verified
        self._remembered.move_to_end(token)
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                # iat only informs (RFC 7519); a development clock moved forward signs ahead of it
                options={"require": ["exp", "iss", "aud", "sub"], "verify_iat": False},
            )
        except jwt.ExpiredSignatureError as expired:
            raise Unauthorized("token_expired", "the token has expired") from expired
        except jwt.InvalidTokenError as refused:
            reason = f"the token is refused: {type(refused).__name__}"
            raise Unauthorized("token_invalid", reason) from refused
        return claims

    async def _key(self, key_id: str | None) -> jwt.PyJWK:
        # while another request asks a slow issuer, a key already known goes on serving
        if not self._fresh(key_id) and not (key_id in self._keys and self._asking.locked()):
            async with self._asking:
                # whoever held the lock may have fetched it meanwhile
                if not self._fresh(key_id) and self._may_ask():
                    await self._fetch()
        if not self._keys:
            raise TryAgain("issuer_unreachable", "the token issuer's keys cannot be fetched")
        if key_id not in self._keys:
            raise Unauthorized("token_invalid", "the issuer does not know the token's key")
        return self._keys[key_id]

    def _fresh(self, key_id: str | None) -> bool:
        return key_id in self._keys and time.monotonic() - self._fetched_at < KEYS_LIVE_SECONDS

    def _may_ask(self) -> bool:
        # with no keys at all nothing works: then every second counts
        wait = REFETCH_SECONDS if self._keys else 1.0
        return time.monotonic() - self._asked_at >= wait

    async def _fetch(self) -> None:
        self._asked_at = time.monotonic()
        try:
            async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
                answer = await client.get(self._url)
            answer.raise_for_status()
            self._keys = usable_keys(answer.json())
        except (httpx.HTTPError, ValueError) as failed:
            _log.warning("issuer.unreachable", url=self._url, error=type(failed).__name__)
            return
        self._fetched_at = time.monotonic()


def usable_keys(document: Any) -> dict[str | None, jwt.PyJWK]:
    """The signing keys of a JWKS document by key id; others (symmetric, encryption) are left out.

    A lone key without an id also answers for tokens without one. Raises ValueError for a document
    that is no key set.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
        raise ValueError("the issuer's answer is no JWKS document")  # noqa: TRY004 - bad data, not a bad argument
    keys: dict[str | None, jwt.PyJWK] = {}
    for entry in document["keys"]:
        if not isinstance(entry, Mapping) or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(dict(entry))
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # one entry that cannot be read must not take the others with it
        if key.algorithm_name in ALGORITHMS:
            keys[key.key_id] = key
    return keys


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """The caller that verified claims name. Raises Unauthorized naming a malformed claim."""
    return Caller(
        sub=_text(claims, "sub") or _malformed("sub"),
        officer_id=_text(claims, "officer_id"),
        bureau=_text(claims, "bureau"),
        unit=_text(claims, "unit"),
        name=_text(claims, "name"),
        divisions=_divisions(claims.get("divisions", [])),
        scopes=frozenset((_text(claims, "scope", most=4096) or "").split()),
    )


def _text(claims: Mapping[str, Any], name: str, *, most: int = 255) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        _malformed(name)
    return str(value)


def _divisions(claim: Any) -> tuple[str, ...]:
    if not isinstance(claim, Sequence) or isinstance(claim, str) or len(claim) > MOST_DIVISIONS:
        _malformed("divisions")
    for prefix in claim:
        if not (
            isinstance(prefix, str) and _DIGITS.fullmatch(prefix) and len(prefix) in PREFIX_LENGTHS
        ):
            _malformed("divisions")
    return tuple(claim)


def _malformed(claim: str) -> Any:
    raise Unauthorized("token_invalid", f"the token's claim {claim} is malformed")


bearer = HTTPBearer(bearerFormat="JWT", auto_error=False, description="A token of the OIDC issuer.")
_CALLER = "bangfu.caller"


async def sender_of(request: Request) -> Caller:
    """Who sent this request, asked once. Raises Unauthorized without a valid bearer token."""
    known: Caller | None = request.scope.get(_CALLER)
    if known is not None:
        return known
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("token_missing", "send a bearer token in the Authorization header")
    tokens: Tokens = request.app.state.platform.tokens
    caller = request.scope[_CALLER] = await tokens.verify(token.strip())
    logs.bind(sub=caller.sub)
    return caller


class Requires(SecurityBase):
    """The Caller, if the token grants these scopes. One dependency that FastAPI documents itself.

    The scopes stay readable, so that tests can list what each route asks for.
    """

    model = bearer.model
    scheme_name = bearer.scheme_name

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> Caller:
        """Raises Unauthorized, or Forbidden naming the first scope that is missing."""
        caller = await sender_of(request)
        for scope in self.scopes:
            if not caller.can(scope):
                raise Forbidden("scope_missing", f"the token lacks the scope {scope}")
        return caller


current_caller = Requires()
"""Who sent this request, whatever the token grants."""


def requires(*scopes: str) -> Any:
    """A dependency that gives the Caller. Raises Forbidden naming the first scope missing."""
    return Depends(Requires(*scopes))
