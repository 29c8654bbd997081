"""How contacts are entered and found, and how good a division's data is (C59, C61)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.registry.households import sealed
from services.registry.stewards import actions, queries, rules
from services.registry.stewards.rules import Appointment, Role
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, after_id, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/contacts", tags=["stewards"])
quality_routes = api.router("/v1/data-quality", tags=["stewards"])
Reader = Annotated[Caller, requires("registry.contacts:read")]
Writer = Annotated[Caller, requires("registry.contacts:write")]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Unit = Annotated[str, Field(pattern=r"^([1-9]\d{5}|[1-9]\d{8}|[1-9]\d{11})$")]
_DIGITS = {"county": 6, "township": 9, "village": 12}


class AppointmentIn(BaseModel):
    """An official to be entered; ``division_code`` is the place that the unit works for."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    division_code: Unit
    bureau: Word | None = None
    unit: Word
    officer_id: Word
    name: Word
    phone: Annotated[str, Field(max_length=40)] | None = None
    appointed_on: date | None = None


class EndingIn(BaseModel):
    """From which day on it has ended; today when left out."""

    model_config = ConfigDict(extra="forbid")

    ended_on: date | None = None


class ContactOut(BaseModel):
    """An official in one role for one unit, to be called: the phone is shown as it is."""

    contact_id: UUID
    role: Role
    division_code: str
    bureau: str | None
    unit: str
    officer_id: str
    name: str
    phone: str | None
    appointed_on: date
    ended_on: date | None


class Appointed(BaseModel):
    """The id of a contact."""

    contact_id: UUID


class Quality(BaseModel):
    """What is known of a division's households on assistance: shares in percent, and their mean."""

    division_code: str
    households: int
    people: int
    shares: dict[str, Decimal]
    score: Decimal


@routes.post("", status_code=201, summary="Enter a data steward or a liaison contact")
async def appoint(session: SessionDep, caller: Writer, body: AppointmentIn) -> Appointed:
    given = body.model_dump() | {"appointed_on": body.appointed_on or clock.today()}
    return Appointed(contact_id=await actions.appoint(session, caller, Appointment(**given)))


@routes.post("/{contact_id}/end", status_code=204, summary="End an appointment")
async def end(session: SessionDep, caller: Writer, contact_id: UUID, body: EndingIn) -> None:
    await actions.end(session, caller, contact_id, body.ended_on or clock.today())


@routes.get("", summary="Who is in office on a day")
async def list_contacts(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    role: Role | None = None,
    on: date | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ContactOut]:
    rows = await queries.page(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        role=role,
        on=on or clock.today(),
        after=after_id(cursor),
        limit=limit + 1,
    )
    shown = rows[:limit]
    await audit.record_rows(
        session, caller, shown, action="contact.read", subject_type="contact", subject="contact_id"
    )
    items = [
        ContactOut(**{**row, "phone": sealed.show_phone(row["phone_encrypted"], plain=True)})
        for row in shown
    ]
    more = len(rows) > limit
    return api.Page(
        items=items, next_cursor=api.encode_cursor([items[-1].contact_id]) if more else None
    )


@quality_routes.get("", summary="How complete the files of households on assistance are")
async def data_quality(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    by: Annotated[Literal["county", "township", "village"], Query()] = "township",
) -> list[Quality]:
    rows = await queries.quality(
        session, divisions=caller.divisions, within=prefixes(division), digits=_DIGITS[by]
    )
    return [
        Quality(
            division_code=row["division_code"],
            households=row["households"],
            people=row["people"],
            shares={name: rules.share(row[name], row[of]) for name, of in rules.MEASURES.items()},
            score=rules.score(dict(row)),
        )
        for row in rows
    ]
