"""What the tests of time lines, figures and the console share: what services tell, received."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.notify.households.handlers import on_households
from services.notify.timelines.handlers import on_assisted, on_guarantees, on_hardships
from shared.contracts.assistance import (
    Assistance,
    AssistanceEvent,
    AssistanceStatus,
    Guarantee,
    GuaranteeKind,
    Hardship,
)
from shared.contracts.envelope import Envelope, Payload
from shared.contracts.registry import Episode, FactPeriod, HouseholdState, State
from shared.db import Database
from shared.identity import new_id
from tests.support.builders import NOON, household_event

VILLAGE = "331124002221"
SCOPES = "notify.timelines:read notify.figures:read notify.notices:read registry.households:read"

HANDLERS = {
    AssistanceEvent.ASSISTED: on_assisted,
    AssistanceEvent.GUARANTEE_CHANGED: on_guarantees,
    AssistanceEvent.HARDSHIP_DETECTED: on_hardships,
}


def aid(household_id: UUID, **facts: Any) -> Assistance:
    """A dibao payment of December for 650 yuan; any field may be named."""
    known: dict[str, Any] = {
        "assistance_id": new_id(),
        "household_id": household_id,
        "programme": "dibao",
        "status": AssistanceStatus.PAID,
        "amount": Decimal("650.00"),
        "fund": "county",
        "month": date(2026, 12, 1),
        "granted_on": date(2026, 11, 25),
    }
    return Assistance(**(known | facts))


def guarantee(household_id: UUID, **facts: Any) -> Guarantee:
    """A housing guarantee that is not met since May; any field may be named."""
    known: dict[str, Any] = {
        "guarantee_id": new_id(),
        "household_id": household_id,
        "kind": GuaranteeKind.HOUSING,
        "met": False,
        "evidence_id": "survey:1",
        "since": date(2026, 5, 4),
    }
    return Guarantee(**(known | facts))


def hardship(household_id: UUID, **facts: Any) -> Hardship:
    """A dangerous house, noticed in May; any field may be named."""
    known: dict[str, Any] = {
        "hardship_id": new_id(),
        "household_id": household_id,
        "kind": "dangerous_house",
        "detected_on": date(2026, 5, 3),
    }
    return Hardship(**(known | facts))


def lived(state: HouseholdState, *steps: tuple[State, date], **facts: Any) -> HouseholdState:
    """The household through these states, each from a day on; a return opens a new episode."""
    periods, episodes = list(state.periods), list(state.episodes)
    for to, day in steps:
        periods.append(periods[-1].model_copy(update={"valid_from": day, "state": to}))
        if to is State.RETURNED:
            episodes.append(Episode(number=len(episodes) + 1, origin="return", identified_on=day))
        elif to in {State.LIFTED, State.EXITED}:
            named = "lifted_on" if to is State.LIFTED else "exited_on"
            episodes[-1] = episodes[-1].model_copy(update={named: day})
    newest: FactPeriod = periods[-1]
    changes: dict[str, Any] = {
        "periods": tuple(periods),
        "episodes": tuple(episodes),
        "state": newest.state,
        "effective_from": newest.valid_from,
    }
    return state.model_copy(update=changes | facts)


def event(payload: Payload, *, version: int = 1, source: str = "/relief") -> Envelope:
    """The event that would carry what a service tells."""
    kind, subject = _KINDS[type(payload)]
    return Envelope(
        id=new_id(),
        source=source,
        type=kind.value,
        subject=str(getattr(payload, subject)),
        time=NOON,
        key=str(payload.model_dump()["household_id"]),
        aggregate_version=version,
        correlation_id=str(new_id()),
        data=payload.model_dump_json().encode(),
    )


_KINDS = {
    Assistance: (AssistanceEvent.ASSISTED, "assistance_id"),
    Guarantee: (AssistanceEvent.GUARANTEE_CHANGED, "guarantee_id"),
    Hardship: (AssistanceEvent.HARDSHIP_DETECTED, "hardship_id"),
}


async def know(database: Database, *states: HouseholdState, version: int = 1) -> None:
    """These households arrive from the registry in one batch."""
    async with database.transaction() as session:
        await on_households(session, [household_event(s, version=version) for s in states])


async def hear(
    database: Database, *payloads: Payload, version: int = 1, source: str = "/relief"
) -> None:
    """What a service tells arrives in one batch, by type, past the consumer's own guard."""
    async with database.transaction() as session:
        for kind, handler in HANDLERS.items():
            meant = [event(each, version=version, source=source) for each in payloads]
            meant = [each for each in meant if each.type == kind.value]
            if meant:
                await handler(session, meant)


async def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds, as the worker sees it."""
    async with database.transaction() as session:
        found = await session.execute(text(query), values)
        return [dict(row) for row in found.mappings()]


HAPPENINGS = "SELECT * FROM happenings ORDER BY happened_on, rank, source, aggregate_id, part"
