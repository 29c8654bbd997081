"""Zero-employment cases: opened, closed and given the last day for an offer (R30, C45).

The only writer of zero_employment_cases. Call it under the households' locks (actions.hold).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import RowMapping, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.labour.facts import Home
from services.employment.labour.models import ZeroEmploymentCase
from services.employment.labour.rules import Verdict, closing, opens
from services.employment.standards.queries import held_on, values_over_time
from services.employment.standards.rules import OFFER_WORKING_DAYS
from shared import identity, workdays
from shared.asked import prefixes
from shared.db import among, driver_of, in_divisions

_TABLE = ZeroEmploymentCase.__table__
OPEN = ZeroEmploymentCase.closed_on.is_(None)

_HOLD = """
    SELECT * FROM zero_employment_cases WHERE closed_on IS NULL AND household_id = ANY ($1)
    ORDER BY case_id FOR UPDATE
"""
_CLOSE = text(
    """
    UPDATE zero_employment_cases AS stored
    SET closed_on = :today, outcome = given.outcome, closing_evidence = given.evidence
    FROM unnest(CAST(:case_ids AS uuid[]), CAST(:outcomes AS text[]), CAST(:evidence AS text[]))
        AS given(case_id, outcome, evidence)
    WHERE stored.case_id = given.case_id
    """
)
_MOVE = text(
    """
    UPDATE zero_employment_cases AS stored SET division_code = given.division_code
    FROM unnest(CAST(:case_ids AS uuid[]), CAST(:division_codes AS text[]))
        AS given(case_id, division_code)
    WHERE stored.case_id = given.case_id
    """
)
_DATE = text(
    """
    UPDATE zero_employment_cases AS stored
    SET offer_due_on = given.due_on, offer_due_provisional = given.provisional,
        limit_parameter_id = given.parameter_id
    FROM unnest(CAST(:case_ids AS uuid[]), CAST(:due AS date[]), CAST(:provisional AS boolean[]),
                CAST(:parameter_ids AS uuid[])) AS given(case_id, due_on, provisional, parameter_id)
    WHERE stored.case_id = given.case_id
    """
)


async def settle_cases(
    session: AsyncSession,
    homes: Sequence[Home],
    verdicts: Mapping[UUID, Verdict],
    unemployed: Mapping[UUID, Sequence[UUID]],
    today: date,
) -> set[UUID]:
    """Open, close and move the cases of these households; returns those that something changed in.

    ``unemployed`` are the people a new case is opened for.
    """
    standing = await _open_cases(session, [home.household_id for home in homes])
    opened, closed, moved = [], [], []
    for home in homes:
        case, verdict = standing.get(home.household_id), verdicts[home.household_id]
        on_assistance = home.state.on_assistance
        if case is None and opens(verdict, on_assistance=on_assistance):
            opened.append(_case(home, unemployed.get(home.household_id, ()), today))
        elif case is not None:
            outcome = closing(verdict, on_assistance=on_assistance)
            if outcome is not None:
                closed.append((case, outcome, verdict.evidence))
            if case["division_code"] != home.division_code:
                moved.append((case["case_id"], home.division_code))
    await _write(session, opened, closed, moved, today)
    changed = {row["household_id"] for row in opened}
    return changed | {case["household_id"] for case, *_ in closed}


async def date_offers(
    session: AsyncSession,
    *,
    case_ids: Sequence[UUID] | None = None,
    division_code: str | None = None,
    undated: bool = False,
) -> int:
    """Reckon the last day for an offer of open cases; returns how many got another one.

    The limit of the day a case was opened on, in working days, counted from the day after (R29);
    none where no limit was approved for that day. ``undated`` takes only the cases without a day
    and those whose day is provisional.
    """
    rows = select(_TABLE).where(OPEN).order_by(ZeroEmploymentCase.case_id).with_for_update()
    if case_ids is not None:
        rows = rows.where(among(ZeroEmploymentCase.case_id, case_ids))
    if division_code is not None:
        rows = rows.where(in_divisions(ZeroEmploymentCase.division_code, prefixes(division_code)))
    if undated:
        missing = ZeroEmploymentCase.offer_due_on.is_(None)
        rows = rows.where(or_(missing, ZeroEmploymentCase.offer_due_provisional))
    cases = (await session.execute(rows)).mappings().all()
    return await _date(session, cases) if cases else 0


async def _date(session: AsyncSession, cases: Sequence[RowMapping]) -> int:
    divisions = {case["division_code"] for case in cases}
    limits = await values_over_time(session, OFFER_WORKING_DAYS, divisions)
    calendar = await workdays.load(session)
    reckoned: dict[tuple[date, int], workdays.Deadline] = {}
    changed = []
    for case in cases:
        limit = held_on(limits[case["division_code"]], case["opened_on"])
        dated: tuple[date | None, bool, UUID | None] = (None, False, None)
        if limit is not None:
            key = (case["opened_on"], int(limit.value))
            due = reckoned.get(key) or reckoned.setdefault(key, calendar.add(*key))
            dated = (due.on, due.provisional, limit.parameter_id)
        known = ("offer_due_on", "offer_due_provisional", "limit_parameter_id")
        if tuple(case[name] for name in known) != dated:
            changed.append((case["case_id"], *dated))
    if changed:
        names = ("case_ids", "due", "provisional", "parameter_ids")
        await session.execute(
            _DATE, dict(zip(names, map(list, zip(*changed, strict=True)), strict=True))
        )
    return len(changed)


def _case(home: Home, person_ids: Sequence[UUID], today: date) -> dict[str, Any]:
    return {
        "case_id": identity.new_id(),
        "household_id": home.household_id,
        "division_code": home.division_code,
        "opened_on": today,
        "offer_due_on": None,
        "offer_due_provisional": False,
        "limit_parameter_id": None,
        "person_ids": list(person_ids),
        "closed_on": None,
        "outcome": None,
        "closing_evidence": None,
    }


async def _open_cases(session: AsyncSession, household_ids: Sequence[UUID]) -> dict[UUID, Record]:
    rows = await driver_of(session).fetch(_HOLD, household_ids)
    return {row["household_id"]: row for row in rows}


async def _write(
    session: AsyncSession,
    opened: Sequence[dict[str, Any]],
    closed: Sequence[tuple[Record, str, str]],
    moved: Sequence[tuple[UUID, str]],
    today: date,
) -> None:
    if closed:
        ended = {
            "today": today,
            "case_ids": [case["case_id"] for case, *_ in closed],
            "outcomes": [outcome for _, outcome, _ in closed],
            "evidence": [evidence for *_, evidence in closed],
        }
        await session.execute(_CLOSE, ended)
    if moved:
        ids, codes = map(list, zip(*moved, strict=True))
        await session.execute(_MOVE, {"case_ids": ids, "division_codes": codes})
    if opened:
        await session.execute(insert(ZeroEmploymentCase), list(opened))
        await date_offers(session, case_ids=[row["case_id"] for row in opened])
