"""A household's whole story in one order: facts, decisions, notices, checks, aid, hardship (C6).

Codes, days and ids: what an officer wrote in words stands with the thing itself.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks import queries as checks
from services.registry.ledger import queries
from services.registry.notices import queries as notices
from services.registry.returns import queries as returns
from shared.auth import Caller

Kind = Literal[
    "facts",
    "decision",
    "identified",
    "lifted",
    "exited",
    "aid",
    "guarantee",
    "notice_requested",
    "notice_posted",
    "notice_closed",
    "notice_withdrawn",
    "income_check",
    "hardship",
    "return_check_opened",
    "return_check_closed",
]
Days = tuple[tuple[Kind, date | None, dict[str, Any]], ...]


class Happening(BaseModel):
    """One thing that happened to a household: the day, what kind, and its details in codes."""

    on: date
    kind: Kind
    id: str
    recorded_at: datetime | None = None
    detail: dict[str, Any]


async def story(session: AsyncSession, caller: Caller, household_id: UUID) -> list[Happening]:
    """All that happened, by day."""
    where = caller.divisions
    told = [_facts(row) for row in await queries.versions_of(session, household_id, where)]
    told += [_decision(row) for row in await queries.decisions_of(session, household_id, where)]
    for row in await queries.episodes_of(session, household_id, where):
        told += _episode(row)
    told += [_aid(row) for row in await queries.aid_of(session, household_id, divisions=where)]
    for row in await queries.guarantees_of(session, household_id, divisions=where):
        told.append(_guarantee(row))
    for row in await notices.notices_of(session, household_id, divisions=where):
        told += _notice(row)
    for row in await checks.checks_of(session, household_id, divisions=where):
        told.append(_income_check(row))
    for row in await returns.hardships_of(session, household_id, divisions=where):
        told.append(_hardship(row))
    for row in await returns.checks_of(session, household_id, divisions=where):
        told += _return_check(row)
    return sorted(told, key=place)


def place(happening: Happening) -> tuple[date, str, str]:
    """Where a happening stands in the order, for cursors too."""
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
    return _steps(
        f"{row['number']:03d}",
        {"episode": row["number"]},
        (
            ("identified", row["identified_on"], {"origin": row["origin"]}),
            ("lifted", row["lifted_on"], {}),
            ("exited", row["exited_on"], {}),
        ),
    )


def _notice(row: RowMapping) -> list[Happening]:
    told = {name: row[name] for name in ("kind", "episode", "category")}
    return _steps(
        str(row["notice_request_id"]),
        told,
        (
            ("notice_requested", row["requested_on"], {}),
            ("notice_posted", row["posted_on"], {"last_day": row["last_day"]}),
            ("notice_closed", row["closed_on"], {"outcome": row["outcome"]}),
            ("notice_withdrawn", row["withdrawn_on"], {}),
        ),
    )


def _return_check(row: RowMapping) -> list[Happening]:
    return _steps(
        str(row["return_check_id"]),
        {"hardship_id": row["hardship_id"]},
        (
            ("return_check_opened", row["opened_on"], {"due_on": row["due_on"]}),
            ("return_check_closed", row["closed_on"], {"outcome": row["outcome"]}),
        ),
    )


def _steps(its_id: str, told: dict[str, Any], days: Days) -> list[Happening]:
    return [
        Happening(on=day, kind=kind, id=its_id, detail=told | detail)
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


def _income_check(row: RowMapping) -> Happening:
    told = ("episode", "passed", "reasons", "n", "officer_id", "document_number")
    amounts = {name: str(row[name]) for name in ("per_capita_month", "line")}
    return Happening(
        on=row["checked_on"],
        kind="income_check",
        id=str(row["check_id"]),
        recorded_at=row["recorded_at"],
        detail={name: row[name] for name in told} | amounts,
    )


def _hardship(row: RowMapping) -> Happening:
    amount = None if row["amount"] is None else str(row["amount"])
    return Happening(
        on=row["detected_on"],
        kind="hardship",
        id=str(row["hardship_id"]),
        recorded_at=row["recorded_at"],
        detail={"source": row["source"], "kind": row["kind"], "amount": amount},
    )
