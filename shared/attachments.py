"""Attachments: photos and signed papers that visits, applications and decisions rest on.

Handed in first, then named by whatever rests on them. The file itself lies encrypted in the store
(``attachment_store.py``); here is what is known of it. It is never changed: a better photo is
another attachment. Every look at one is in the audit log.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from obstore.exceptions import BaseError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from shared import api, attachment_store, audit, clock, divisions, identity, logs
from shared.attachment_store import AttachmentMissingError
from shared.auth import Caller, officer_of, requires
from shared.crypto import CryptoError
from shared.db import NAMING, SessionDep, among
from shared.divisions import CODE
from shared.errors import Conflict, Fault, Forbidden, NotFound, Refused, TryAgain

metadata = MetaData(naming_convention=NAMING)

attachments = Table(
    "attachments",
    metadata,
    Column("attachment_id", Uuid, primary_key=True),
    Column("sha256", Text(collation="C"), nullable=False),
    Column("media_type", Text(collation="C"), nullable=False),
    Column("size", Integer, nullable=False),
    Column("division_code", Text(collation="C"), nullable=False),
    Column("household_id", Uuid, index=True),
    Column("taken_at", DateTime(timezone=True)),
    Column("handed_in_by", Text(collation="C"), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
"""For the services that take attachments; their own migrations create it (row-level security)."""

MOST_BYTES = 10_000_000
"""A photo of a phone has 2 to 5 MB."""
_BEGINNINGS = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "application/pdf": b"%PDF-",
}
_BODY = {
    "required": True,
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _BEGINNINGS},
}
_log = logs.get("attachments")


class Attachment(BaseModel):
    """What is known of a file. ``taken_at``: when the photo was taken, as its bringer says.

    ``household_id`` is whose it became once something rests on it; until then it is nobody's.
    """

    model_config = ConfigDict(from_attributes=True)

    attachment_id: UUID
    sha256: str
    media_type: str
    size: int
    division_code: str
    household_id: UUID | None = None
    taken_at: datetime | None
    handed_in_by: str
    recorded_at: datetime


class Asked(BaseModel):
    """What is said of a file that is handed in, beside its bytes."""

    division_code: Annotated[str, Field(pattern=CODE)]
    taken_at: datetime | None = None


def content_faults(content: bytes, media_type: str) -> list[Fault]:
    """What is wrong with a file: no known kind, empty, or not what it says it is.

    Example: a PDF sent as ``image/jpeg``: ``attachment_not_of_type``. Its size is the route's.
    """
    if media_type not in _BEGINNINGS:
        known = ", ".join(_BEGINNINGS)
        return [Fault("header/content-type", "attachment_type_unknown", f"send one of: {known}")]
    if not content:
        return [Fault("#", "attachment_empty", "the file has no bytes")]
    if not content.startswith(_BEGINNINGS[media_type]):
        return [Fault("#", "attachment_not_of_type", f"these bytes are no {media_type}")]
    return []


async def find(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, Attachment]:
    """Those of the attachments that this session may see, by id."""
    rows = await session.execute(select(attachments).where(among(attachments.c.attachment_id, ids)))
    found = [Attachment.model_validate(row, from_attributes=True) for row in rows]
    return {each.attachment_id: each for each in found}


async def faults_of(
    session: AsyncSession, named: Mapping[str, UUID], household_id: UUID
) -> list[Fault]:
    """One fault for each attachment that cannot become this household's.

    ``named`` goes by the JSON pointer that names it: ``#/photos/0``. It is unknown within this
    session's divisions (``attachment_unknown``), or another household's (``attachment_taken``).
    """
    found = await find(session, list(named.values()))
    faults = []
    for where, attachment_id in named.items():
        kept = found.get(attachment_id)
        if kept is None:
            message = "no such attachment: hand it in first"
            faults.append(Fault(where, "attachment_unknown", message))
        elif kept.household_id not in {None, household_id}:
            message = "this attachment belongs to another household's file"
            faults.append(Fault(where, "attachment_taken", message))
    return faults


async def attach(
    session: AsyncSession, ids: Collection[UUID], household_id: UUID, division_code: str
) -> None:
    """Put attachments without fault to a household's file, where the household lies.

    Raises Conflict (``attachment_taken``) if another household got one in the meantime.
    """
    row = attachments.c
    free = or_(row.household_id.is_(None), row.household_id == household_id)
    order = update(attachments).where(among(row.attachment_id, list(ids)), free)
    put = await session.execute(
        order.values(household_id=household_id, division_code=division_code).returning(
            row.attachment_id
        )
    )
    if len(put.all()) < len(set(ids)):
        raise Conflict("attachment_taken", "an attachment now belongs to another household's file")


def router(service: str, store_url: str) -> APIRouter:
    """``POST /v1/attachments`` and the two reads, under ``<service>.attachments:write`` / read."""
    routes = api.router("/v1/attachments", tags=["attachments"])
    Writer = Annotated[Caller, requires(f"{service}.attachments:write")]  # noqa: N806 (a type)
    Reader = Annotated[Caller, requires(f"{service}.attachments:read")]  # noqa: N806 (a type)

    @routes.post(
        "",
        status_code=201,
        summary="Hand in a photo or a signed paper",
        openapi_extra={api.MAX_BODY: MOST_BYTES, "requestBody": _BODY},
    )
    async def hand_in(
        request: Request, session: SessionDep, caller: Writer, asked: Annotated[Asked, Query()]
    ) -> Attachment:
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        return await _keep(session, caller, store_url, await request.body(), media_type, asked)

    @routes.get("/{attachment_id}", summary="What is known of an attachment")
    async def read(session: SessionDep, caller: Reader, attachment_id: UUID) -> Attachment:
        kept = await _one(session, caller, attachment_id)
        await _audited(session, caller, kept, "attachment.looked_at")
        return kept

    @routes.get(
        "/{attachment_id}/content",
        summary="The photo or paper itself",
        response_class=Response,
        responses={200: {"content": _BODY["content"]}},
    )
    async def read_content(session: SessionDep, caller: Reader, attachment_id: UUID) -> Response:
        kept = await _one(session, caller, attachment_id)
        content = await _fetched(store_url, kept)
        await _audited(session, caller, kept, "attachment.read")
        shown = {"Content-Disposition": "inline", "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type=kept.media_type, headers=shown)

    return routes


async def _keep(  # noqa: PLR0917 (a request's parts, one caller)
    session: AsyncSession,
    caller: Caller,
    store_url: str,
    content: bytes,
    media_type: str,
    asked: Asked,
) -> Attachment:
    if not caller.covers(asked.division_code):
        raise Forbidden("division_not_covered", f"this token does not cover {asked.division_code}")
    faults = content_faults(content, media_type) + await _faults(session, asked)
    if faults:
        raise Refused("attachment_refused", "the attachment cannot be taken", faults=faults)
    kept = Attachment(
        attachment_id=identity.new_id(),
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=media_type,
        size=len(content),
        division_code=asked.division_code,
        taken_at=asked.taken_at,
        handed_in_by=officer_of(caller),
        recorded_at=clock.now(),
    )
    await _stored(store_url, kept.sha256, content)
    await session.execute(insert(attachments).values(kept.model_dump()))
    await _audited(session, caller, kept, "attachment.handed_in")
    return kept


async def _faults(session: AsyncSession, asked: Asked) -> list[Fault]:
    """What is wrong with the words around the file."""
    faults = []
    if await divisions.find(session, asked.division_code) is None:
        faults.append(Fault("query/division_code", "division_unknown", "no such division"))
    if asked.taken_at is not None and asked.taken_at.tzinfo is None:
        faults.append(Fault("query/taken_at", "zone_missing", "say the offset: …+08:00"))
    elif asked.taken_at is not None and asked.taken_at > clock.now():
        faults.append(Fault("query/taken_at", "taken_in_future", "the photo is yet to be taken"))
    return faults


async def _stored(store_url: str, sha256: str, content: bytes) -> None:
    """Before its row: a row that is rolled back leaves a file that the next try finds."""
    if not store_url:
        raise TryAgain("attachments_not_configured", "BANGFU_ATTACHMENTS_URL is not set here")
    try:
        await attachment_store.put(store_url, sha256, content)
    except (BaseError, OSError) as trouble:
        _log.exception("attachments.not_stored")
        raise _unavailable() from trouble


async def _fetched(store_url: str, kept: Attachment) -> bytes:
    if not store_url:
        raise TryAgain("attachments_not_configured", "BANGFU_ATTACHMENTS_URL is not set here")
    try:
        return await attachment_store.get(store_url, kept.sha256)
    except (BaseError, OSError, AttachmentMissingError, CryptoError) as trouble:
        _log.exception("attachments.not_found", sha256=kept.sha256)
        raise _unavailable() from trouble


def _unavailable() -> TryAgain:
    return TryAgain("attachments_unavailable", "the store of attachments cannot be used just now")


async def _one(session: AsyncSession, caller: Caller, attachment_id: UUID) -> Attachment:
    kept = (await find(session, [attachment_id])).get(attachment_id)
    if kept is None or not caller.covers(kept.division_code):
        raise NotFound("attachment_not_found", "no such attachment in the caller's divisions")
    return kept


async def _audited(session: AsyncSession, caller: Caller, kept: Attachment, action: str) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="attachment",
        subject_id=kept.attachment_id,
        division_code=kept.division_code,
        detail={"media_type": kept.media_type, "size": kept.size},
    )
