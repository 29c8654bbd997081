"""Tokens: who is let in, who is not, and how the issuer's keys are fetched."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared import auth
from shared.auth import Caller, caller_of, system_caller, usable_keys
from shared.errors import Problem, TryAgain, Unauthorized
from tests.support.things import READER, WRITER
from tests.support.tokens import Tokens

ISSUER = "http://issuer.test"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


class Issuer:
    """A JWKS served over HTTP, whose keys and mood a test may change."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: list[dict[str, Any]] = []
        self.status = 200
        self.asked = 0


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer that publishes the RSA and EC keys."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked += 1
            self.send_response(served.status)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": served.keys}).encode())

        def log_message(self, *_args: Any) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    served = Issuer(f"http://127.0.0.1:{server.server_port}/jwks")
    served.keys = [public(RSA, "r"), public(EC, "e"), public(ED, "d")]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def public(key: Any, key_id: str, **more: Any) -> dict[str, Any]:
    """The public half as a JWK."""
    algorithm: Any
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = jwt.algorithms.RSAAlgorithm
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = jwt.algorithms.ECAlgorithm
    else:
        algorithm = jwt.algorithms.OKPAlgorithm
    made: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    return made | {"kid": key_id, "use": "sig"} | more


def signed(key: Any, algorithm: str, key_id: str | None, **claims: Any) -> str:
    """A token of our issuer; a claim of None is left out."""
    said = {
        "iss": ISSUER,
        "aud": "bangfu",
        "sub": "s",
        "exp": time.time() + 60,
        "divisions": ["331124"],
        "scope": "a:read b:write",
    } | claims
    payload = {name: value for name, value in said.items() if value is not None}
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)


@pytest.fixture
def tokens_of(issuer: Issuer) -> auth.Tokens:
    """A checker of this issuer's tokens."""
    return auth.Tokens(jwks_url=issuer.url, issuer=ISSUER, audience="bangfu")


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(RSA, "RS256", "r"), (EC, "ES256", "e"), (ED, "EdDSA", "d")]
)
async def test_the_three_signatures(
    tokens_of: auth.Tokens, key: Any, algorithm: str, key_id: str
) -> None:
    caller = await tokens_of.verify(signed(key, algorithm, key_id, officer_id="o1"))
    assert caller == Caller(
        sub="s",
        officer_id="o1",
        divisions=("331124",),
        scopes=frozenset({"a:read", "b:write"}),
    )


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1_000_000_000}, "token_expired"),
        ({"exp": None}, "token_invalid"),
        ({"nbf": 33_000_000_000}, "token_invalid"),
        ({"iss": "http://elsewhere"}, "token_invalid"),
        ({"iss": None}, "token_invalid"),
        ({"aud": "another"}, "token_invalid"),
        ({"aud": None}, "token_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"sub": ""}, "token_invalid"),
        ({"sub": "a\0"}, "token_invalid"),
        ({"officer_id": 7}, "token_invalid"),
        ({"divisions": "331124"}, "token_invalid"),
        ({"divisions": [""]}, "token_invalid"),
        ({"divisions": ["331124,"]}, "token_invalid"),
        ({"divisions": ["33112"]}, "token_invalid"),
        ({"divisions": ["3311２4"]}, "token_invalid"),
        ({"divisions": [331124]}, "token_invalid"),
        ({"divisions": ["331124"] * 501}, "token_invalid"),
        ({"scope": ["a:read"]}, "token_invalid"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_claims_that_do_not_hold(
    tokens_of: auth.Tokens, claims: dict[str, Any], code: str
) -> None:
    with pytest.raises(Unauthorized) as refused:
        await tokens_of.verify(signed(EC, "ES256", "e", **claims))
    assert refused.value.code == code


async def test_clocks_may_differ_by_half_a_minute(tokens_of: auth.Tokens) -> None:
    await tokens_of.verify(signed(EC, "ES256", "e", exp=time.time() - 20))
    await tokens_of.verify(signed(EC, "ES256", "e", nbf=time.time() + 20))


def forged() -> dict[str, str]:
    """Tokens that must not pass, whoever they claim to be from."""
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": ISSUER, "aud": "bangfu", "sub": "s", "exp": time.time() + 60}
    good = signed(EC, "ES256", "e")
    return {
        "no signature": jwt.encode(claims, "", algorithm="none", headers={"kid": "e"}),
        "public key as secret": hs256(claims, pem),
        "another key's name": signed(EC, "ES256", "r"),
        "a stranger's key": signed(ec.generate_private_key(ec.SECP256R1()), "ES256", "e"),
        "stronger hash of the same family": signed(RSA, "RS512", "r"),
        "unknown key": signed(EC, "ES256", "z"),
        "changed payload": good[: len(good) // 2] + "A" + good[len(good) // 2 + 1 :],
        "not a token": "abc",
        "too long": good + "a" * 9000,
    }


def hs256(claims: dict[str, Any], secret: bytes) -> str:
    """What PyJWT itself refuses to sign: HS256 with the issuer's public key as the secret."""
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head = {"alg": "HS256", "typ": "JWT", "kid": "r"}
    body = b".".join(
        jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (head, claims)
    )
    return (body + b"." + jwt.utils.base64url_encode(algorithm.sign(body, secret))).decode()


@pytest.mark.parametrize("name", list(forged()))
async def test_forged_tokens(tokens_of: auth.Tokens, name: str) -> None:
    with pytest.raises(Unauthorized):
        await tokens_of.verify(forged()[name])


async def test_keys_are_fetched_once(tokens_of: auth.Tokens, issuer: Issuer) -> None:
    for _ in range(5):
        await tokens_of.verify(signed(EC, "ES256", "e"))
    assert issuer.asked == 1


async def test_unknown_keys_ask_again_at_most_every_half_minute(
    tokens_of: auth.Tokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens_of.verify(signed(EC, "ES256", "e"))
    new = ec.generate_private_key(ec.SECP256R1())
    issuer.keys.append(public(new, "new"))
    for _ in range(5):
        with pytest.raises(Unauthorized):
            await tokens_of.verify(signed(new, "ES256", "new"))
    assert issuer.asked == 1
    later = time.monotonic() + auth.REFETCH_SECONDS + 1
    monkeypatch.setattr("shared.auth.time.monotonic", lambda: later)
    assert (await tokens_of.verify(signed(new, "ES256", "new"))).sub == "s"
    assert issuer.asked == 2


async def test_a_withdrawn_key_is_refused_after_a_while(
    tokens_of: auth.Tokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens_of.verify(signed(EC, "ES256", "e"))
    issuer.keys = [public(RSA, "r")]
    later = time.monotonic() + auth.KEYS_LIVE_SECONDS + 1
    monkeypatch.setattr("shared.auth.time.monotonic", lambda: later)
    with pytest.raises(Unauthorized):
        await tokens_of.verify(signed(EC, "ES256", "e"))


def never_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on whoever checks a signature is told that the token has expired."""

    def expired(*_args: Any, **_options: Any) -> None:
        raise jwt.ExpiredSignatureError

    monkeypatch.setattr("shared.auth.jwt.decode", expired)


async def test_a_signature_is_checked_once_until_the_token_ends(
    tokens_of: auth.Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed(EC, "ES256", "e")
    first = await tokens_of.verify(token)
    never_again(monkeypatch)
    assert await tokens_of.verify(token) == first
    past = time.time() + 60 + auth.LEEWAY_SECONDS
    monkeypatch.setattr("shared.auth.time.time", lambda: past)
    with pytest.raises(Unauthorized):
        await tokens_of.verify(token)


async def test_a_remembered_token_goes_with_its_withdrawn_key(
    tokens_of: auth.Tokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed(EC, "ES256", "e")
    await tokens_of.verify(token)
    issuer.keys = [public(RSA, "r")]
    later = time.monotonic() + auth.KEYS_LIVE_SECONDS + 1
    monkeypatch.setattr("shared.auth.time.monotonic", lambda: later)
    with pytest.raises(Unauthorized):
        await tokens_of.verify(token)


async def test_only_so_many_tokens_are_remembered(
    tokens_of: auth.Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.auth.MOST_REMEMBERED", 2)
    three = [signed(EC, "ES256", "e", sub=f"s{number}") for number in range(3)]
    for token in three:
        await tokens_of.verify(token)
    never_again(monkeypatch)
    assert [(await tokens_of.verify(token)).sub for token in three[1:]] == ["s1", "s2"]
    with pytest.raises(Unauthorized):
        await tokens_of.verify(three[0])


async def test_an_issuer_in_trouble(
    tokens_of: auth.Tokens, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.status = 500
    with pytest.raises(TryAgain):
        await tokens_of.verify(signed(EC, "ES256", "e"))
    issuer.status = 200
    later = time.monotonic() + 2
    monkeypatch.setattr("shared.auth.time.monotonic", lambda: later)
    await tokens_of.verify(signed(EC, "ES256", "e"))
    # the keys in hand outlive the issuer's next trouble
    issuer.status = 500
    much_later = later + auth.KEYS_LIVE_SECONDS + 1
    monkeypatch.setattr("shared.auth.time.monotonic", lambda: much_later)
    await tokens_of.verify(signed(EC, "ES256", "e"))


def test_only_signing_keys_of_our_algorithms_are_used() -> None:
    symmetric = {"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "HS256"}
    encryption = public(EC, "enc", use="enc")
    foreign = {"kty": "moon", "kid": "m"}
    unreadable = {"kty": "RSA", "kid": "u", "alg": "RS256", "n": "\u00e9", "e": 7}
    entries = [symmetric, encryption, foreign, unreadable, 7, public(EC, "e")]
    found = usable_keys({"keys": entries})
    assert list(found) == ["e"]
    not_key_sets: list[Any] = [[], {"keys": {}}, None, "x"]
    for broken in not_key_sets:
        with pytest.raises(ValueError, match="JWKS"):
            usable_keys(broken)


def test_a_caller_covers_what_begins_with_its_prefixes() -> None:
    caller = caller_of({"sub": "s", "divisions": ["331124", "331102101"]})
    assert caller.covers("331124101201")
    assert caller.covers("331102101")
    assert not caller.covers("331102")
    assert not caller_of({"sub": "s"}).covers("331124")
    assert system_caller("relief").covers("331124")
    assert not system_caller("relief").can("pii:read")


async def test_without_a_token(things: httpx.AsyncClient) -> None:
    del things.headers["Authorization"]
    answer = await things.get("/v1/things")
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_missing"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="bangfu"'


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YTpi", "Bearer", "Bearer \u00e9"])
async def test_with_something_that_is_no_token(things: httpx.AsyncClient, header: str) -> None:
    answer = await things.get("/v1/things", headers={b"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_missing_scope_is_named(things: httpx.AsyncClient, tokens: Tokens) -> None:
    headers = tokens.headers(scopes=[READER])
    answer = await things.post("/v1/things", json={"name": "a"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "scope_missing"
    assert WRITER in answer.json()["detail"]


async def test_bad_input_does_not_come_before_the_token(things: httpx.AsyncClient) -> None:
    answer = await things.post("/v1/things", json={"name": 1}, headers={"Authorization": ""})
    assert answer.status_code == 401


def test_a_problem_says_nothing_of_the_token() -> None:
    with pytest.raises(Problem) as refused:
        caller_of({"sub": "s", "officer_id": 331102199003070010})
    assert "331102" not in str(refused.value.body("i"))
