"""公示: the notices under way and those that ended, from notify's own tables."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.notify.console import places, queries
from services.notify.console.queries import NoticeFilter
from services.notify.console.rendering import page
from services.notify.console.visits import Visit
from services.notify.notices import queries as notices_queries
from services.notify.notices import sealed
from shared import api, audit
from shared.asked import after_id
from shared.errors import NotFound

LISTED = 30
READ = "notify.notices:read"


async def notices(request: Request, visit: Visit) -> Response:
    """The list, the newest first; ``?state=running`` or ``closed`` narrows it."""
    visit.need(READ)
    division = places.asked(request, visit.caller.divisions)
    state = request.query_params.get("state", "")
    wanted = NoticeFilter(
        division=division,
        under_way={"running": True, "closed": False}.get(state),
        before=after_id(request.query_params.get("cursor")),
        limit=LISTED + 1,
    )
    async with visit.transaction() as session:
        rows = await queries.notices(session, visit.caller.divisions, wanted)
        shown = rows[:LISTED]
        where = await places.place_of(session, visit.caller.divisions, division)
        codes = {code for row in shown for code in _and_township(row["division_code"])}
        names = await places.names_of(session, codes)
        await audit.record(
            session,
            visit.caller,
            action="notice.read",
            subject_type="notice",
            subject_id=[row["notice_id"] for row in shown],
            division_code=[row["division_code"] for row in shown],
        )
    more = api.encode_cursor([shown[-1]["notice_id"]]) if len(rows) > LISTED else None
    return page(
        "notices.html", visit, rows=shown, names=names, where=where, state=state, next_cursor=more
    )


async def notice(request: Request, visit: Visit) -> Response:
    """One notice with the sheet as it hangs in the village."""
    visit.need(READ)
    try:
        notice_id = UUID(request.path_params["notice_id"])
    except ValueError as wrong:
        raise NotFound("notice_unknown", "no notice has such an id") from wrong
    async with visit.transaction() as session:
        row = await notices_queries.notice_by_id(session, notice_id, visit.caller.divisions)
        if row is None:
            raise NotFound("notice_unknown", "no such notice in the caller's divisions")
        await audit.record(
            session,
            visit.caller,
            action="notice.sheet_read",
            subject_type="notice",
            subject_id=notice_id,
            division_code=row["division_code"],
        )
        where = await places.place_of(session, visit.caller.divisions, row["division_code"])
    hung = row["content_encrypted"]
    sheet = sealed.show_sheet(hung) if hung is not None else []
    return page("notice.html", visit, row=row, sheet=sheet, where=where)


def _and_township(code: str) -> tuple[str, str]:
    return (code, code[:9])
