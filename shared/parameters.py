"""Policy parameters: money lines, ratios, limits, by division and date, never constants in code.

A row stores ``valid_from`` alone and holds until the next one of its key and division; where a
division has none, its nearest ancestor's holds. One person enters a value, another approves it; a
row never changes after it was entered, so what is approved is what was seen.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared import api, audit, clock, divisions, identity
from shared.auth import Caller, officer_of, requires
from shared.db import SessionDep
from shared.divisions import CODE, Level
from shared.errors import Conflict, Forbidden, NotFound, Refused
from shared.parameter_values import PARAMETERS, Parameter, history, holding, read, value_at

__all__ = [
    "Definition",
    "Entry",
    "OnApproved",
    "Parameter",
    "approve",
    "enter",
    "history",
    "holding",
    "router",
    "value_at",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a key means and which values it may take; bounds are included.

    ``scopes`` are the levels of division that may set it (policy section 3, parameter registry).
    """

    key: str
    unit: str
    minimum: Decimal
    maximum: Decimal
    description_zh: str
    scopes: tuple[Level, ...] = ("county",)


class Entry(BaseModel):
    """A value as an officer enters it. ``sample`` marks what no official document backs."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    key: Annotated[str, Field(min_length=1, max_length=100)]
    division_code: Annotated[str, Field(pattern=CODE)]
    valid_from: date
    value: Annotated[Decimal, Field(max_digits=14, decimal_places=4)]
    document_number: Annotated[str, Field(min_length=1, max_length=200)]
    sample: bool = False


OnApproved = Callable[[AsyncSession, Caller, Parameter], Awaitable[None]]
"""What a service does with a newly approved value, in the same transaction: relief publishes it."""


async def enter(
    session: AsyncSession, caller: Caller, definitions: Mapping[str, Definition], entry: Entry
) -> Parameter:
    """Store a value that waits for another officer's approval.

    Raises Refused (unknown key, division or level, a value out of bounds), Forbidden (not the
    caller's division), Conflict (``parameter_exists``, ``correction_needed``).
    """
    officer = officer_of(caller)
    definition = _definition(definitions, entry)
    await _check_division(session, caller, definition, entry.division_code)
    await _lock(session, entry.key, entry.division_code)
    await _check_room(session, entry.key, entry.division_code, entry.valid_from)
    parameter = Parameter(
        **entry.model_dump(),
        parameter_id=identity.new_id(),
        unit=definition.unit,
        entered_by=officer,
        entered_at=clock.now(),
    )
    await session.execute(insert(PARAMETERS).values(parameter.model_dump()))
    await _record(session, caller, "parameter.entered", parameter)
    return parameter


async def approve(
    session: AsyncSession,
    caller: Caller,
    parameter_id: UUID,
    *,
    on_approved: OnApproved | None = None,
) -> Parameter:
    """Put a waiting value in force; ``on_approved`` runs once, in this transaction.

    The same officer approving again gets the approved value and changes nothing. Raises NotFound,
    Forbidden, Conflict (``same_officer``, ``already_approved``, ``parameter_exists``,
    ``correction_needed``).
    """
    officer = officer_of(caller)
    seen = await _known(session, parameter_id)
    if not caller.covers(seen.division_code):
        raise Forbidden("division_forbidden", f"{seen.division_code} is not yours to decide for")
    await _lock(session, seen.key, seen.division_code)
    waiting = await _known(session, parameter_id)
    if waiting.approved_at is not None:
        return _approved_before(waiting, officer)
    if waiting.entered_by == officer:
        raise Conflict("same_officer", "who entered a value cannot approve it: ask a colleague")
    await _check_room(session, waiting.key, waiting.division_code, waiting.valid_from)
    parameter = waiting.model_copy(
        update={"approved_by": officer, "approved_at": clock.now(), "version": waiting.version + 1}
    )
    await session.execute(
        update(PARAMETERS)
        .where(PARAMETERS.c.parameter_id == parameter_id)
        .values(parameter.model_dump(include={"approved_by", "approved_at", "version"}))
    )
    await _record(session, caller, "parameter.approved", parameter)
    if on_approved is not None:
        await on_approved(session, caller, parameter)
    return parameter


def router(
    service: str,
    definitions: Mapping[str, Definition],
    on_approved: OnApproved | None = None,
) -> APIRouter:
    """Enter, approve and read the parameters that ``service`` owns."""
    routes = api.router("/v1/parameters", tags=["parameters"])
    Reader = Annotated[Caller, requires(f"{service}.parameters:read")]  # noqa: N806 (a type)
    Writer = Annotated[Caller, requires(f"{service}.parameters:write")]  # noqa: N806 (a type)
    Approver = Annotated[Caller, requires(f"{service}.parameters:approve")]  # noqa: N806 (a type)

    @routes.post("", status_code=201, summary="Enter a value")
    async def enter_parameter(session: SessionDep, caller: Writer, entry: Entry) -> Parameter:
        return await enter(session, caller, definitions, entry)

    @routes.post("/{parameter_id}/approve", summary="Approve another officer's value")
    async def approve_parameter(
        session: SessionDep, caller: Approver, parameter_id: UUID
    ) -> Parameter:
        return await approve(session, caller, parameter_id, on_approved=on_approved)

    @routes.get("", summary="Values entered and approved; with `on`, those in force that day")
    async def list_parameters(
        session: SessionDep,
        _caller: Reader,
        *,
        key: Annotated[str | None, Query(max_length=100)] = None,
        division: Annotated[str | None, Query(pattern=CODE)] = None,
        on: date | None = None,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
        limit: api.Limit = 50,
    ) -> api.Page[Parameter]:
        if on is not None:
            keys = [key] if key else sorted(definitions)
            return api.Page(items=await _in_force(session, keys, division, on), next_cursor=None)
        return await _page(session, key=key, division=division, cursor=cursor, limit=limit)

    @routes.get("/{parameter_id}", summary="One value")
    async def one_parameter(session: SessionDep, _caller: Reader, parameter_id: UUID) -> Parameter:
        return await _known(session, parameter_id)

    return routes


def _definition(definitions: Mapping[str, Definition], entry: Entry) -> Definition:
    definition = definitions.get(entry.key)
    if definition is None:
        known = ", ".join(sorted(definitions))
        raise Refused("parameter_key_unknown", f"{entry.key!r} is none of the keys here: {known}")
    if not definition.minimum <= entry.value <= definition.maximum:
        raise Refused(
            "parameter_out_of_bounds",
            f"{entry.key} lies between {definition.minimum} and {definition.maximum}"
            f" {definition.unit}",
        )
    return definition


async def _check_division(
    session: AsyncSession, caller: Caller, definition: Definition, code: str
) -> None:
    if not caller.covers(code):
        raise Forbidden("division_forbidden", f"{code} is not yours to decide for")
    division = await divisions.find(session, code)
    if division is None:
        raise Refused("division_unknown", f"{code} is no division that this platform knows")
    if division.level not in definition.scopes:
        raise Refused(
            "parameter_scope",
            f"{definition.key} is set by {' or '.join(definition.scopes)}, not {division.level}",
        )


async def _lock(session: AsyncSession, key: str, division_code: str) -> None:
    # One officer at a time for a key and division: the checks after it look at other rows.
    name = f"bangfu.parameter:{key}:{division_code}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def _check_room(
    session: AsyncSession, key: str, division_code: str, valid_from: date
) -> None:
    """Refuse a day that is taken, and a past day that a later approved value builds on."""
    following = (
        select(PARAMETERS)
        .where(
            PARAMETERS.c.key == key,
            PARAMETERS.c.division_code == division_code,
            PARAMETERS.c.approved_at.is_not(None),
            PARAMETERS.c.valid_from >= valid_from,
        )
        .order_by(PARAMETERS.c.valid_from)
        .limit(1)
    )
    found = await read(session, following)
    if not found:
        return
    (later,) = found
    named = f"{later.parameter_id} ({later.value} {later.unit} from {later.valid_from})"
    if later.valid_from == valid_from:
        raise Conflict("parameter_exists", f"{key} of {division_code} has {named} already")
    if valid_from < clock.today():
        raise Conflict(
            "correction_needed", f"the past of {key} in {division_code} is closed by {named}"
        )


def _approved_before(parameter: Parameter, officer: str) -> Parameter:
    if parameter.approved_by != officer:
        raise Conflict("already_approved", f"{parameter.parameter_id} is in force already")
    return parameter


async def _known(session: AsyncSession, parameter_id: UUID) -> Parameter:
    found = await read(session, select(PARAMETERS).where(PARAMETERS.c.parameter_id == parameter_id))
    if not found:
        raise NotFound("parameter_unknown", f"no parameter {parameter_id} here")
    return found[0]


async def _in_force(
    session: AsyncSession, keys: Iterable[str], division: str | None, on: date
) -> list[Parameter]:
    if division is None:
        raise Refused("division_missing", "what holds on a day holds in a division: name it")
    found = [await value_at(session, key, division, on) for key in keys]
    return [parameter for parameter in found if parameter is not None]


async def _page(
    session: AsyncSession, *, key: str | None, division: str | None, cursor: str | None, limit: int
) -> api.Page[Parameter]:
    known = PARAMETERS.c
    asked = ((known.key, key), (known.division_code, division))
    wanted = select(PARAMETERS).where(*(column == value for column, value in asked if value))
    order = (known.key, known.division_code, known.valid_from, known.parameter_id)
    if cursor:
        wanted = wanted.where(tuple_(*order) > api.decode_cursor(cursor, str, str, date, UUID))
    found = await read(session, wanted.order_by(*order).limit(limit + 1))
    more = None
    if len(found) > limit:
        more = api.encode_cursor([getattr(found[limit - 1], column.name) for column in order])
    return api.Page(items=found[:limit], next_cursor=more)


async def _record(session: AsyncSession, caller: Caller, action: str, parameter: Parameter) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="parameter",
        subject_id=str(parameter.parameter_id),
        division_code=parameter.division_code,
        detail={
            "key": parameter.key,
            "valid_from": parameter.valid_from.isoformat(),
            "value": str(parameter.value),
            "document_number": parameter.document_number,
        },
    )
