"""家庭: finding a household, and its file as one time line across the bureaus.

Names, members and facts come from the registry with the officer's own token and are not stored;
the time line and the guarantees are notify's own, and stand even where the registry is silent.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from services.notify.console import places, telling, visits, words
from services.notify.console.places import Where
from services.notify.console.registry import Answer
from services.notify.console.rendering import page
from services.notify.console.visits import Visit
from services.notify.timelines import queries as timelines
from services.notify.timelines.queries import Stretch
from shared import api, audit, identity
from shared.asked import DIVISION_PATTERN
from shared.errors import NotFound

LISTED = 30
TOLD = 60
_NUMBER = re.compile(r"[0-9]{6,}[0-9X]?")
_FILTERS = ("division", "category", "state", "cursor")


async def households(request: Request, visit: Visit) -> Response:
    """The list by place, category and state; what names somebody is sent by the form alone."""
    wanted = {name: request.query_params.get(name, "") for name in _FILTERS}
    return await _listed(visit, wanted, "")


async def search(request: Request, visit: Visit) -> Response:
    """The same by a member's name or ID number, which stay out of every address."""
    visits.refuse_foreign(request)
    form = await request.form(max_files=0, max_fields=20)
    wanted = {name: str(form.get(name, "")) for name in _FILTERS}
    return await _listed(visit, wanted, str(form.get("q", "")).strip()[:100])


async def household(request: Request, visit: Visit) -> Response:
    """One household's file."""
    visit.need("notify.timelines:read")
    household_id = _id(request)
    file = await visit.console.registry.household(visit.token, household_id)
    members = _names((file.data or {"members": []})["members"])
    async with visit.transaction() as session:
        copy = await timelines.copy_of(session, household_id, visit.caller.divisions)
        if copy is None:
            raise NotFound("household_not_found", "no such household in the caller's divisions")
        await audit.record(
            session,
            visit.caller,
            action="timeline.read",
            subject_type="household",
            subject_id=household_id,
            division_code=copy["division_code"],
        )
        stretch = Stretch(
            limit=TOLD + 1,
            after=timelines.after(request.query_params.get("cursor")),
            newest_first=request.query_params.get("order") != "oldest",
        )
        rows = await timelines.happenings_of(session, household_id, visit.caller.divisions, stretch)
        given = await timelines.guarantees_of(session, household_id, visit.caller.divisions)
        where = await places.place_of(session, visit.caller.divisions, copy["division_code"])
    more = api.encode_cursor(timelines.place_of(rows[TOLD - 1])) if len(rows) > TOLD else None
    return page(
        "household.html",
        visit,
        household_id=household_id,
        copy=copy,
        file=file.data,
        missing=file.missing,
        where=where,
        lines=[telling.line_of(dict(row), members) for row in rows[:TOLD]],
        lights=lights(given),
        more=more,
        newest_first=stretch.newest_first,
        continued=stretch.after is not None,
    )


def lights(given: Any) -> list[dict[str, Any]]:
    """The five guarantees of C8 in order: met, not met, or not known where nobody said."""
    said = {row["code"]: row for row in given}
    shown = []
    for code, name in words.GUARANTEES.items():
        row = said.get(code)
        state = "unknown" if row is None else "met" if row["detail"]["met"] else "unmet"
        since = None if row is None else row["happened_on"]
        shown.append({"code": code, "name": name, "state": state, "since": since})
    return shown


async def _listed(visit: Visit, wanted: Mapping[str, str], named: str) -> Response:
    asked = {name: value for name, value in wanted.items() if value}
    asked["limit"] = str(LISTED)
    found = await _ask(visit, asked, named)
    items = (found.data or {"items": []})["items"]
    async with visit.transaction() as session:
        choice = await places.place_of(session, visit.caller.divisions, _home(visit))
        where = await _place(session, visit, asked.get("division")) or choice
        names = await places.names_of(session, _codes(items))
    return page(
        "households.html",
        visit,
        items=items,
        missing=found.missing,
        next_cursor=(found.data or {}).get("next_cursor"),
        wanted={name: wanted.get(name, "") for name in _FILTERS},
        named=named,
        where=where,
        choice=choice,
        names=names,
    )


async def _ask(visit: Visit, asked: Mapping[str, str], named: str) -> Answer:
    registry = visit.console.registry
    if not named:
        return await registry.households(visit.token, asked)
    number = identity.normalise_code(named)
    sought = {"id_number": number} if _NUMBER.fullmatch(number) else {"name_prefix": named}
    return await registry.search(visit.token, {**asked, **sought})


async def _place(session: AsyncSession, visit: Visit, division: str | None) -> Where | None:
    if division is None or re.fullmatch(DIVISION_PATTERN, division) is None:
        return None
    return await places.place_of(session, visit.caller.divisions, division)


def _home(visit: Visit) -> str | None:
    divisions = visit.caller.divisions
    return divisions[0].ljust(6, "0") if len(divisions) == 1 else None


def _names(members: list[dict[str, Any]]) -> dict[str, str]:
    return {str(each["person_id"]): each["name"] for each in members}


def _codes(items: list[dict[str, Any]]) -> set[str]:
    return {code for each in items for code in (each["division_code"], each["division_code"][:9])}


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["household_id"])
    except ValueError as wrong:
        raise NotFound("household_not_found", "no household has such an id") from wrong
