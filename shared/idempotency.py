"""Every POST has one effect, however often it is sent: the first answer is kept and given again.

Scope: client, method, path and key. The answer is stored encrypted in the transaction of the write
it answers, for seven days; a failed request stores nothing and may be sent again.
"""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
from fastapi import Request
from sqlalchemy import Column, DateTime, LargeBinary, Table, text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.responses import Response

from shared import clock, crypto
from shared.auth import Caller
from shared.db import Transaction, driver_of, platform_metadata
from shared.errors import BadRequest, Conflict, Refused
from shared.together import Write, write

HEADER = "Idempotency-Key"
REPEATED_HEADER = "Idempotency-Replayed"
KEPT_FOR = timedelta(days=7)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PURPOSE = "idempotency"
_CHUNK = 1 << 20
_LENGTH_BYTES = 4

idempotency_keys = Table(
    "idempotency_keys",
    platform_metadata,
    Column("scope", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False, index=True),
)

# Its snapshot is older than its lock. A first request that commits between the two leaves this one
# with the lock and without the answer: _KEEP's WHERE finds that answer and undoes everything.
_FIND = """
    SELECT pg_try_advisory_xact_lock($1) AS first, fingerprint, answer
    FROM (SELECT) AS always
    LEFT JOIN idempotency_keys ON scope = $2 AND stored_at > $3
"""
_KEEP = """
    INSERT INTO idempotency_keys AS known (scope, fingerprint, answer, stored_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (scope) DO UPDATE
        SET fingerprint = excluded.fingerprint, answer = excluded.answer,
            stored_at = excluded.stored_at
        WHERE known.stored_at <= $5
"""
_KEPT = "INSERT 0 1"
_FORGET = text("DELETE FROM idempotency_keys WHERE stored_at <= :oldest")


class RepeatedError(Exception):
    """Not a fault: the request was carried out before, and ``answer`` is what it got then."""

    def __init__(self, answer: Response) -> None:
        super().__init__("carried out before")
        self.answer = answer


class Once:
    """The guard of one POST (db.Guard): entered when its session opens, then keeps its answer.

    A double effect is excluded by ``keep``, which stores no second answer, not by ``enter``: the
    look of ``enter`` is older than its lock. Between the two, for microseconds, the first request
    may commit; its retry is then carried out anew. If it comes to its end, ``keep`` undoes it
    (Conflict, ask again). If the action refuses it for what the first one did (already there,
    version moved), that definite refusal is the answer, though the first had succeeded; it is not
    stored, and asking again with the same key gives the first answer.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._session: Transaction | None = None
        self._scope = b""
        self._fingerprint = b""

    async def enter(self, session: AsyncSession, caller: Caller) -> None:
        """Let the first of its kind pass.

        Raises RepeatedError with the stored answer; Conflict while the same request is still being
        carried out; Refused for a key that was used for another request; BadRequest without a key.
        """
        key = key_of(self._request)
        self._scope = scope_of(self._request, caller, key)
        self._fingerprint = await fingerprint_of(self._request, caller)
        number = int.from_bytes(self._scope[:8], signed=True)
        oldest = clock.now() - KEPT_FOR
        found = await driver_of(session).fetchrow(_FIND, number, self._scope, oldest)
        if found is None or not found["first"]:
            raise _in_flight()
        known, answer = found["fingerprint"], found["answer"]
        if known is not None and not hmac.compare_digest(known, self._fingerprint):
            raise Refused(
                "idempotency_key_reused",
                "this key was used for another request (its body, query or rights differ): "
                "take a new key",
            )
        if known is not None:
            raise RepeatedError(unpacked(answer))
        self._session = session if isinstance(session, Transaction) else None
        if self._session is not None:
            self._session.closing = []

    async def keep(self, answer: Response) -> None:
        """Store ``answer`` in the request's transaction; one that failed is rolled back instead.

        Raises Conflict when the same request was carried out between our look and our lock (one
        statement, whose snapshot is the older of the two): all of ours is undone.
        """
        if self._session is None:
            raise RuntimeError(f"{self._request.url.path} opened no session to keep its answer in")
        if answer.status_code >= 400:
            self._session.closing = None
            await self._session.rollback()
            return
        now = clock.now()
        values = (self._scope, self._fingerprint, packed(answer), now, now - KEPT_FOR)
        closing, self._session.closing = self._session.closing or [], None
        kept = await write(self._session, [*closing, Write(_KEEP, values)])
        if kept != _KEPT:
            raise _in_flight()


def _in_flight() -> Conflict:
    return Conflict(
        "request_in_flight", "the same request is being carried out: ask again in a moment"
    )


def key_of(request: Request) -> str:
    """The request's key. Raises BadRequest for none, for two, or for an unreadable one."""
    keys = request.headers.getlist(HEADER)
    if not keys:
        raise BadRequest(
            "idempotency_key_missing", f"send {HEADER}: a new random value for every new request"
        )
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise BadRequest(
            "idempotency_key_unreadable", f"{HEADER} is one value of 1 to 255 visible characters"
        )
    return keys[0]


def scope_of(request: Request, caller: Caller, key: str) -> bytes:
    """32 bytes that stand for client, method, path and key."""
    parts = (caller.sub, request.method, request.url.path, key)
    return hashlib.sha256(orjson.dumps(parts)).digest()


async def fingerprint_of(request: Request, caller: Caller) -> bytes:
    """A keyed hash of all that the answer depends on: body, query, and the caller's rights.

    With the rights in it, a token that lost a scope or a division cannot fetch what it once got.
    A form is hashed by its fields, since a retry draws a new multipart boundary.
    """
    digest = hashlib.sha256()
    rights = (request.url.query, sorted(caller.scopes), sorted(caller.divisions))
    digest.update(orjson.dumps(rights) + b"\n")
    async for chunk in _content(request):
        digest.update(chunk)
    return crypto.lookup_hash(digest.hexdigest(), purpose=_PURPOSE)


async def _content(request: Request) -> AsyncIterator[bytes]:
    if "form" not in request.headers.get("content-type", "").lower():
        yield await request.body()
        return
    for name, value in (await request.form()).multi_items():
        if isinstance(value, UploadFile):
            yield orjson.dumps((name, value.filename, value.size))
            while chunk := await value.read(_CHUNK):
                yield chunk
            await value.seek(0)
        else:
            yield orjson.dumps((name, value))


def packed(answer: Response) -> bytes:
    """Status, headers and body of ``answer``, encrypted. Raises TypeError for a streamed one."""
    body = getattr(answer, "body", None)
    if not isinstance(body, bytes):
        raise TypeError("the answer to a POST is kept, so it cannot be streamed")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in answer.raw_headers
        if name != b"content-length"
    ]
    head = orjson.dumps({"status": answer.status_code, "headers": headers})
    return crypto.encrypt_bytes(len(head).to_bytes(_LENGTH_BYTES) + head + body, purpose=_PURPOSE)


def unpacked(blob: bytes) -> Response:
    """The answer that was ``packed``, marked as given before."""
    data = crypto.decrypt_bytes(blob, purpose=_PURPOSE)
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES])
    head: dict[str, Any] = orjson.loads(data[_LENGTH_BYTES:end])
    answer = Response(data[end:], status_code=head["status"])
    for name, value in head["headers"]:
        answer.headers.append(name, value)
    answer.headers[REPEATED_HEADER] = "true"
    return answer


async def forget_expired(session: AsyncSession) -> None:
    """Delete answers older than seven days; they are not given again even before this runs."""
    await session.execute(_FORGET, {"oldest": clock.now() - KEPT_FOR})
