"""Lists page by cursor; concurrent edits are refused by version.

A cursor is encrypted: it may hold a name to go on from, and stands in addresses and their logs.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Header, Query
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared import crypto
from shared.errors import BadRequest, PreconditionRequired

Item = TypeVar("Item")

MOST_ITEMS = 200
_PURPOSE = "cursor"

Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="Items a page.")]
"""A route's ``limit: Limit = 50``."""


class Page(BaseModel, Generic[Item]):
    """One page of a list. ``next_cursor`` is sent back as ``cursor``; null on the last page."""

    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(values: Sequence[object]) -> str:
    """Where the next page begins: the sort values of the last item shown, opaque to the caller."""
    blob = crypto.encrypt_bytes(orjson.dumps(list(values), default=str), purpose=_PURPOSE)
    return base64.urlsafe_b64encode(blob).rstrip(b"=").decode()


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The values put into ``cursor``, read as ``types``.

    ``decode_cursor(encode_cursor(["a", 7]), str, int)`` is ``("a", 7)``. Raises BadRequest for one
    that this service did not make or that belongs to another list.
    """
    try:
        blob = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        values = orjson.loads(crypto.decrypt_bytes(blob, purpose=_PURPOSE))
        read: tuple[Any, ...] = TypeAdapter(tuple[types]).validate_python(tuple(values))  # type: ignore[valid-type]  # the types are arguments
    except (binascii.Error, ValueError, ValidationError, crypto.CryptoError) as unreadable:
        raise BadRequest(
            "cursor_unreadable", "send the cursor exactly as next_cursor gave it, to the same list"
        ) from unreadable
    return read


def etag(version: int) -> str:
    """The entity tag of an aggregate at ``version``: ``etag(7)`` is ``"7"`` in its quotes."""
    return f'"{version}"'


def expected_version(
    if_match: Annotated[
        str | None, Header(description="The ETag this change was made from.")
    ] = None,
) -> int:
    """The version that ``If-Match`` names. A proxy's weak ``W/"7"`` counts as ``"7"``.

    Raises PreconditionRequired without one, BadRequest for one we never gave.
    """
    if if_match is None:
        raise PreconditionRequired(
            "if_match_missing", "send If-Match with the ETag that you read before changing"
        )
    digits = if_match.strip().removeprefix("W/").removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadRequest("if_match_unreadable", 'If-Match is one ETag as it was given, like "7"')
    return int(digits)


IfMatch = Annotated[int, Depends(expected_version)]
"""A route's ``version: IfMatch``; the action refuses another with PreconditionFailed."""
