"""Applications with all that belongs to them, and figures in force, in the caller's divisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.standards.rules import DIBAO_LINE
from services.relief.temporary import parameters
from services.relief.temporary.models import (
    Application,
    Decision,
    Notice,
    PettyFund,
    PettyFundEntry,
    Referral,
    Stage,
    Step,
)
from services.relief.temporary.rules import (
    Announced,
    Case,
    Kind,
    State,
    Term,
    Terms,
    fault,
)
from shared import clock
from shared.contracts.notices import NoticeOutcome
from shared.db import in_divisions
from shared.errors import Refused
from shared.parameter_values import Parameter, value_at

CHECKED = "checked"
OPINED = "opined"
REPEAT = "repeat_signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which applications are asked for; what is None does not matter."""

    within: Sequence[str]
    state: State | None = None
    household_id: UUID | None = None
    overdue_on: date | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """An application with the rows of its case, each kind in its order."""

    application: RowMapping
    steps: Sequence[RowMapping]
    notices: Sequence[RowMapping]
    decision: RowMapping | None
    stages: Sequence[RowMapping]
    referrals: Sequence[RowMapping]


async def page(
    session: AsyncSession,
    wanted: Wanted,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Applications by id, the earliest first, after one."""
    conditions = [
        in_divisions(Application.division_code, divisions),
        in_divisions(Application.division_code, wanted.within),
    ]
    if wanted.state is not None:
        conditions.append(Application.state == wanted.state.value)
    if wanted.household_id is not None:
        conditions.append(Application.household_id == wanted.household_id)
    if wanted.overdue_on is not None:
        conditions.append(overdue(wanted.overdue_on))
    if after is not None:
        conditions.append(Application.application_id > after)
    rows = select(Application.__table__).where(*conditions)
    ordered = rows.order_by(Application.application_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


def overdue(day: date) -> ColumnElement[bool]:
    """Help that was paid first and whose papers are late on a day."""
    return and_(Application.papers_due_on < day, Application.papers_on.is_(None))


async def one(
    session: AsyncSession, application_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One application; with ``lock``, held until the transaction ends."""
    mine = and_(
        Application.application_id == application_id,
        in_divisions(Application.division_code, divisions),
    )
    wanted = select(Application.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def whole(session: AsyncSession, application: RowMapping) -> Whole:
    """The application with every row of its case."""
    of = application["application_id"]
    decisions = await _of(session, Decision, of, Decision.decision_id)
    return Whole(
        application,
        await _of(session, Step, of, Step.step_id),
        await _of(session, Notice, of, Notice.notice_request_id),
        decisions[0] if decisions else None,
        await _of(session, Stage, of, Stage.position),
        await _of(session, Referral, of, Referral.referral_id),
    )


async def _of(
    session: AsyncSession, table: type[Any], application_id: UUID, order: Any
) -> Sequence[RowMapping]:
    wanted = select(table.__table__).where(table.application_id == application_id).order_by(order)
    found: Sequence[RowMapping] = (await session.execute(wanted)).mappings().all()
    return found


async def case_of(session: AsyncSession, application: RowMapping) -> Case:
    """The application as the rules take it, but for what was given this year."""
    everything = await whole(session, application)
    by: dict[str, list[str]] = {}
    for step in everything.steps:
        by.setdefault(step["step"], []).append(step["officer_id"])
    return Case(
        kind=Kind(application["kind"]),
        state=State(application["state"]),
        persons=len(application["person_ids"]),
        applied_on=application["applied_on"],
        entered_by=application["entered_by"],
        checked_by=frozenset(by.get(CHECKED, ())),
        opinion_by=by[OPINED][-1] if OPINED in by else None,
        announced=_announced(everything.notices),
        repeat_signed_by=frozenset(by.get(REPEAT, ())),
    )


def _announced(notices: Sequence[RowMapping]) -> Announced | None:
    if not notices:
        return None
    newest = notices[-1]
    return Announced(
        factor=newest["factor"],
        outcome=NoticeOutcome(newest["outcome"]) if newest["outcome"] else None,
        last_day=newest["last_day"],
        closed_on=newest["closed_on"],
    )


async def given_in(session: AsyncSession, household_id: UUID, cause: str, year: int) -> int:
    """How often a household was helped for a cause in a year, wherever it lived.

    Whoever asks holds the household for this until his transaction ends: another one waits.
    """
    given = func.temporary_assistance_given(household_id, cause, year)
    return int((await session.scalars(select(given))).one())


async def terms(session: AsyncSession, division_code: str, *, on: date, applied_on: date) -> Terms:
    """The figures that hold in a division on a day. Raises Refused naming each that is missing."""
    keys = {
        "factor_max": parameters.FACTOR_MAX,
        "factor_special": parameters.FACTOR_SPECIAL,
        "township_limit": parameters.TOWNSHIP_LIMIT,
        "per_year": parameters.PER_YEAR,
        "paper_days": parameters.PAPER_DAYS,
    }
    month = clock.month_of(on)
    found = {"line": await value_at(session, DIBAO_LINE, division_code, month)} | {
        name: await value_at(session, key, division_code, on) for name, key in keys.items()
    }
    missing = [{"line": DIBAO_LINE, **keys}[name] for name, row in found.items() if row is None]
    if missing:
        faults = [
            fault("", "parameter_missing", f"缺少已批准的参数或标准{key},不能核定")
            for key in missing
        ]
        raise Refused(
            "parameter_missing", f"not approved here: {', '.join(missing)}", faults=faults
        )
    applied = await value_at(session, DIBAO_LINE, division_code, clock.month_of(applied_on))
    given: dict[str, Any] = {name: _term(row) for name, row in found.items() if row is not None}
    return Terms(**given, line_applied=None if applied is None else _term(applied))


def _term(row: Parameter) -> Term:
    return Term(
        key=row.key,
        value=row.value,
        valid_from=row.valid_from,
        document_number=row.document_number,
        division_code=row.division_code,
        sample=row.sample,
    )


async def stage(
    session: AsyncSession, stage_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One stage; with ``lock``, held until the transaction ends."""
    mine = and_(Stage.stage_id == stage_id, in_divisions(Stage.division_code, divisions))
    wanted = select(Stage.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def hold_referral(
    session: AsyncSession, referral_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One referral, held until the transaction ends."""
    mine = and_(
        Referral.referral_id == referral_id, in_divisions(Referral.division_code, divisions)
    )
    rows = await session.execute(select(Referral.__table__).where(mine).with_for_update())
    return rows.mappings().one_or_none()


async def fund(
    session: AsyncSession, division_code: str, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """A township's fund; with ``lock``, held until the transaction ends."""
    mine = and_(
        PettyFund.division_code == division_code, in_divisions(PettyFund.division_code, divisions)
    )
    wanted = select(PettyFund.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def funds(
    session: AsyncSession, within: Sequence[str], divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The funds of these divisions, by code; a county has some twenty townships."""
    rows = select(PettyFund.__table__).where(
        in_divisions(PettyFund.division_code, divisions),
        in_divisions(PettyFund.division_code, within),
    )
    found: Sequence[RowMapping] = (
        (await session.execute(rows.order_by(PettyFund.division_code))).mappings().all()
    )
    return found


async def fund_entries(
    session: AsyncSession,
    division_code: str,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """A fund's entries by id, which ascends with time."""
    conditions = [
        PettyFundEntry.division_code == division_code,
        in_divisions(PettyFundEntry.division_code, divisions),
    ]
    if after is not None:
        conditions.append(PettyFundEntry.entry_id > after)
    rows = select(PettyFundEntry.__table__).where(*conditions)
    ordered = rows.order_by(PettyFundEntry.entry_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()
