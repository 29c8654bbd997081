"""What was done for a household, its guarantees, and its whole story in one order (C6, C8)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import queries as households
from services.registry.ledger import queries
from shared import api, audit
from shared.auth import Caller, requires
from shared.contracts.assistance import AssistanceStatus, GuaranteeKind
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/households/{household_id}", tags=["ledger"])
Reader = Annotated[Caller, requires("registry.households:read")]
Cursor = Annotated[str | None, Query(max_length=1000)]


class Aid(BaseModel):
    """One measure in its newest version."""

    source: str
    assistance_id: UUID
    person_ids: list[UUID]
    programme: str
    status: AssistanceStatus
    amount: Decimal
    fund: str
    month: date | None
    granted_on: date
    version: int


class GuaranteeOut(BaseModel):
    """One guarantee as its service last said."""

    source: str
    guarantee_id: UUID
    kind: GuaranteeKind
    met: bool
    evidence_id: str
    since: date
    version: int


Kind = Literal["facts", "decision", "lifted", "exited", "identified", "aid", "guarantee"]


class Happening(BaseModel):
    """One thing that happened to a household: the day, what kind, and its details in codes."""

    on: date
    kind: Kind
    id: str
    recorded_at: datetime | None = None
    detail: dict[str, Any]


@routes.get("/aid", summary="The aid ledger of a household")
async def list_aid(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    cursor: Cursor = None,
    limit: api.Limit = 50,
) -> api.Page[Aid]:
    await _looked_at(session, caller, household_id, "household.aid_read")
    after = api.decode_cursor(cursor, date, UUID) if cursor else None
    rows = await queries.aid_of(
        session,
        household_id,
        divisions=caller.divisions,
        after=(after[0], after[1]) if after else None,
        limit=limit + 1,
    )
    shown = [Aid.model_validate(dict(row)) for row in rows[:limit]]
    more = len(rows) > limit
    last = (shown[-1].granted_on, shown[-1].assistance_id) if more else ()
    return api.Page(items=shown, next_cursor=api.encode_cursor(last) if more else None)


@routes.get("/guarantees", summary="The guarantees of a household")
async def list_guarantees(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[GuaranteeOut]:
    await _looked_at(session, caller, household_id, "household.guarantees_read")
    rows = await queries.guarantees_of(session, household_id, divisions=caller.divisions)
    return [GuaranteeOut.model_validate(dict(row)) for row in rows]


@routes.get("/timeline", summary="Episodes, decisions, facts, aid and guarantees in one order")
async def read_timeline(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    cursor: Cursor = None,
    limit: api.Limit = 50,
) -> api.Page[Happening]:
    await _looked_at(session, caller, household_id, "household.timeline_read")
    story = await _story(session, caller, household_id)
    after = api.decode_cursor(cursor, date, str, str) if cursor else None
    rest = [each for each in story if after is None or _place(each) > tuple(after)]
    shown = rest[:limit]
    more = len(rest) > limit
    return api.Page(items=shown, next_cursor=api.encode_cursor(_place(shown[-1])) if more else None)


async def _looked_at(
    session: AsyncSession, caller: Caller, household_id: UUID, action: str
) -> None:
    place = await households.division_of(session, household_id, divisions=caller.divisions)
    if place is None:
        raise NotFound("household_not_found", "no such household in the caller's divisions")
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=household_id,
        division_code=place,
    )


async def _story(session: AsyncSession, caller: Caller, household_id: UUID) -> list[Happening]:
    where = caller.divisions
    story = [_facts(row) for row in await queries.versions_of(session, household_id, where)]
    story += [_decision(row) for row in await queries.decisions_of(session, household_id, where)]
    for row in await queries.episodes_of(session, household_id, where):
        story += _episode(row)
    story += [_aid(row) for row in await queries.aid_of(session, household_id, divisions=where)]
    story += [
        _guarantee(row)
        for row in await queries.guarantees_of(session, household_id, divisions=where)
    ]
    return sorted(story, key=_place)


def _place(happening: Happening) -> tuple[date, str, str]:
    return (happening.on, happening.kind, happening.id)


def _facts(row: RowMapping) -> Happening:
    return Happening(
        on=row["valid_from"],
        kind="facts",
        id=f"{row['revision']:09d}",
        recorded_at=row["recorded_at"],
        detail={"version": row["version"], "revision": row["revision"]},
    )


def _decision(row: RowMapping) -> Happening:
    told = ("kind", "officer_id", "reason", "rule_set", "category", "episode")
    return Happening(
        on=row["decided_on"],
        kind="decision",
        id=str(row["decision_id"]),
        recorded_at=row["recorded_at"],
        detail={name: row[name] for name in told},
    )


def _episode(row: RowMapping) -> list[Happening]:
    days: tuple[tuple[Kind, date | None, dict[str, Any]], ...] = (
        ("identified", row["identified_on"], {"origin": row["origin"]}),
        ("lifted", row["lifted_on"], {}),
        ("exited", row["exited_on"], {}),
    )
    return [
        Happening(
            on=day,
            kind=kind,
            id=f"{row['number']:03d}",
            detail={"episode": row["number"], **detail},
        )
        for kind, day, detail in days
        if day
    ]


def _aid(row: RowMapping) -> Happening:
    told = ("source", "programme", "status", "fund", "version")
    return Happening(
        on=row["granted_on"],
        kind="aid",
        id=str(row["assistance_id"]),
        recorded_at=row["recorded_at"],
        detail={name: row[name] for name in told} | {"amount": str(row["amount"])},
    )


def _guarantee(row: RowMapping) -> Happening:
    told = ("source", "kind", "met", "evidence_id", "version")
    return Happening(
        on=row["since"],
        kind="guarantee",
        id=str(row["guarantee_id"]),
        recorded_at=row["recorded_at"],
        detail={name: row[name] for name in told},
    )
