"""Carrying a roster out, one chunk of households at a time, as the officer who uploaded it.

Households and persons are written by the households capability alone. A dry run does the very same
and takes it back to a savepoint, so that its verdicts are those the import would have.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.actions import admit_households, revise_households
from services.registry.households.facts import Outcome, Result
from services.registry.rosters import matching
from services.registry.rosters.columns import Severity, Verdict
from services.registry.rosters.facts import Content, Finding, RosterHousehold
from services.registry.rosters.matching import Address, Admit, Refuse, Revise
from services.registry.rosters.models import RosterFinding
from services.registry.rosters.queries import CONTENT_PURPOSE, Upload
from services.registry.rosters.standing import standing_of
from services.registry.sources import actions as sources
from shared import clock, crypto
from shared.db import driver_of, savepoint

CHUNK = 200
ORIGIN = "roster"

_VERDICTS = {
    Result.ADMITTED: Verdict.ACCEPTED,
    Result.CHANGED: Verdict.CHANGED,
    Result.UNCHANGED: Verdict.UNCHANGED,
    Result.REFUSED: Verdict.REJECTED,
}


@dataclass(slots=True, kw_only=True)
class _Case:
    """One report row on its way to its verdict."""

    ordinal: int
    verdict: Verdict
    household: RosterHousehold | None
    id_numbers: tuple[str, ...]
    findings: list[dict[str, Any]]
    warned: bool
    category: str | None
    household_id: UUID | None = None
    holds: list[UUID] = field(default_factory=list)
    step: Admit | Revise | Refuse | None = None

    def add(self, findings: Sequence[Finding]) -> None:
        self.findings += [found.model_dump(mode="json") for found in findings]


async def carry_out(
    session: AsyncSession, upload: Upload, address: Address, *, after: int
) -> tuple[int, int]:
    """The next chunk of households after this ordinal; gives its last ordinal and its size.

    Done under the county's lock, so that of two imports at once the second sees what the first
    has written and changes nothing. (after, 0) when no household is left.
    """
    await session.execute(_LOCK, {"name": f"bangfu.rosters:{upload.county_code}"})
    cases = await _next_cases(session, upload, after)
    if not cases:
        return after, 0
    await _match(session, upload, cases, address)
    async with _taken_back(session, wanted=upload.dry_run):
        await _apply(session, upload, cases, address)
    await _write(session, upload, cases)
    return cases[-1].ordinal, len(cases)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def _next_cases(session: AsyncSession, upload: Upload, after: int) -> list[_Case]:
    row = RosterFinding
    query = (
        select(
            row.ordinal, row.verdict, row.warned, row.category, row.findings, row.facts_encrypted
        )
        .where(row.roster_id == upload.roster_id, row.ordinal > after)
        .order_by(row.ordinal)
        .limit(CHUNK)
    )
    cases = []
    for found in await session.execute(query):
        sealed = crypto.decrypt_bytes(found.facts_encrypted, purpose=CONTENT_PURPOSE)
        content = Content.model_validate_json(sealed)
        cases.append(
            _Case(
                ordinal=found.ordinal,
                verdict=Verdict(found.verdict),
                household=content.facts,
                id_numbers=content.id_numbers,
                findings=list(found.findings),
                warned=found.warned,
                category=found.category,
            )
        )
    return cases


async def _match(
    session: AsyncSession, upload: Upload, cases: Sequence[_Case], address: Address
) -> None:
    """Say of every case which household of the registry it is, and what is to be done."""
    numbers = {number for case in cases for number in case.id_numbers}
    standing, current = await standing_of(session, numbers, divisions=upload.caller.divisions)
    today = clock.today()
    for case in cases:
        places = [standing[number].household_id for number in case.id_numbers if number in standing]
        case.holds = sorted({place for place in places if place})
        if case.household is not None:
            case.step = matching.match(
                case.household,
                standing,
                current,
                ref=str(case.ordinal),
                address=address,
                on=today,
            )


@asynccontextmanager
async def _taken_back(session: AsyncSession, *, wanted: bool) -> AsyncIterator[None]:
    """What a dry run writes of households, events and audit lines is undone before the report."""
    if not wanted:
        yield
        return
    with suppress(_TakenBackError):
        async with savepoint(session):
            yield
            raise _TakenBackError


class _TakenBackError(Exception):
    """It was a dry run."""


async def _apply(
    session: AsyncSession, upload: Upload, cases: Sequence[_Case], address: Address
) -> None:
    by_ref = {str(case.ordinal): case for case in cases}
    changes = [case.step.change for case in cases if isinstance(case.step, Revise)]
    entries = [case.step.entry for case in cases if isinstance(case.step, Admit)]
    outcomes: list[Outcome] = []
    if changes:
        changes, held = await sources.hold_back(session, upload.caller, changes, origin=ORIGIN)
        for ref in held:
            by_ref[ref].add([matching.held_back(by_ref[ref].household, held[ref], address)])
        outcomes += await revise_households(session, upload.caller, changes)
    if entries:
        outcomes += await admit_households(
            session, upload.caller, entries, origin=ORIGIN, decided_on=upload.decided_on
        )
    for outcome in outcomes:
        _settle(by_ref[outcome.ref], outcome, address)
    for case in cases:
        if isinstance(case.step, Refuse):
            case.verdict = Verdict.REJECTED
            case.add(case.step.findings)


def _settle(case: _Case, outcome: Outcome, address: Address) -> None:
    case.verdict = _VERDICTS[outcome.result]
    case.household_id = outcome.household_id
    if isinstance(case.step, Revise):
        case.add(case.step.notes)
    if outcome.result is Result.REFUSED and case.household is not None:
        case.add(
            [
                Finding(
                    cell=matching.cell_of(fault.where, case.household, case.step, address),
                    code=fault.code,
                    message=fault.message,
                    severity=Severity.REJECT,
                )
                for fault in outcome.faults
            ]
        )


async def _write(session: AsyncSession, upload: Upload, cases: Sequence[_Case]) -> None:
    """The verdicts; what the sheet said of the people is needed no longer and goes.

    A dry run's new households have been taken back: their ids would lead nowhere.
    """
    rows = [
        {
            "ordinal": case.ordinal,
            "verdict": case.verdict,
            "findings": case.findings,
            "household_id": None if _gone_again(upload, case) else case.household_id,
            "holds": case.holds,
        }
        for case in cases
    ]
    given = orjson.dumps(rows, default=str).decode()
    await driver_of(session).execute(_JUDGE, upload.roster_id, given)


_JUDGE = """
    UPDATE roster_findings AS stored
    SET verdict = given.verdict, findings = given.findings, household_id = given.household_id,
        holds = given.holds, facts_encrypted = NULL
    FROM jsonb_to_recordset($2::jsonb) AS given(
        ordinal integer, verdict text, findings jsonb, household_id uuid, holds uuid[])
    WHERE stored.roster_id = $1 AND stored.ordinal = given.ordinal
"""


def _gone_again(upload: Upload, case: _Case) -> bool:
    return upload.dry_run and case.verdict is Verdict.ACCEPTED
