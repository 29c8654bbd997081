"""How partners keep a copy (C3, C61): a snapshot to begin with, then every change by cursor.

Codes only, as in the events: no name, number, phone or account stands in an answer.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import Request
from fastapi.responses import StreamingResponse

from services.registry.exchange import changes
from services.registry.exchange.schemas import Feed, Published
from shared import api, audit
from shared.asked import AskedCursor
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/exchange", tags=["exchange"])
Partner = Annotated[Caller, requires("registry.exchange:read")]
_START = 0


@routes.get("/changes", summary="Every published version of every household, each once, in order")
async def list_changes(
    session: SessionDep, caller: Partner, *, cursor: AskedCursor = None, limit: api.Limit = 200
) -> Feed:
    after = api.decode_cursor(cursor, int)[0] if cursor else _START
    found, reached, more = await changes.changes(session, after=after, limit=limit)
    await _noted(session, caller, "exchange.changes_read", {"changes": len(found)})
    return Feed(items=found, cursor=api.encode_cursor([reached]), more=more)


@routes.get(
    "/snapshot",
    summary="Every household's newest state, a JSON line each, after a line with the cursor",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
async def download_snapshot(
    request: Request, session: SessionDep, caller: Partner
) -> StreamingResponse:
    await _noted(session, caller, "exchange.snapshot_read", {})
    pages = changes.snapshot(request.app.state.platform.database, caller.divisions)
    return StreamingResponse(_lines(pages), media_type="application/x-ndjson")


async def _lines(
    pages: AsyncIterator[int | list[Published]],
) -> AsyncIterator[bytes]:
    async for page in pages:
        if isinstance(page, int):
            yield orjson.dumps({"cursor": api.encode_cursor([page])}) + b"\n"
        else:
            yield b"".join(each.model_dump_json().encode() + b"\n" for each in page)


async def _noted(
    session: SessionDep, caller: Caller, action: str, detail: dict[str, object]
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="division",
        subject_id=caller.divisions,
        division_code=caller.divisions,
        detail=detail,
    )
