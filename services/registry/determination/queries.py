"""Applications with the papers of their cases, in the caller's divisions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import deadlines, delegations
from services.registry.determination.deadlines import Clock
from services.registry.determination.models import (
    Application,
    ApplicationAppraisal,
    ApplicationDecision,
    ApplicationDeclaration,
    ApplicationOpinion,
    ApplicationPaper,
    ApplicationSurvey,
    StaffRelative,
    SurveySignature,
)
from services.registry.determination.process import (
    ApplicationState,
    Case,
    Given,
    Paper,
    PaperKind,
    Surveyed,
    SurveyKind,
)
from shared import parameters, workdays
from shared.contracts.registry import Category, RuleSet
from shared.db import among, in_divisions
from shared.workdays import Deadline

_COUNTY = len("331124")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which applications: in these divisions, in a state, due by a day, of one household."""

    within: Sequence[str]
    state: ApplicationState | None = None
    due_by: date | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """An application's row and the rows of its case, each kind in its order."""

    application: RowMapping
    papers: Sequence[RowMapping]
    declarations: Sequence[RowMapping]
    surveys: Sequence[RowMapping]
    signatures: Sequence[RowMapping]
    appraisals: Sequence[RowMapping]
    opinions: Sequence[RowMapping]
    decisions: Sequence[RowMapping]


async def page(
    session: AsyncSession,
    wanted: Wanted,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Applications by id, the earliest first, after one."""
    query = (
        select(Application.__table__)
        .where(in_divisions(Application.division_code, divisions))
        .where(in_divisions(Application.division_code, wanted.within))
        .order_by(Application.application_id)
        .limit(limit)
    )
    if wanted.state is not None:
        query = query.where(Application.state == wanted.state.value)
    if wanted.due_by is not None:
        query = query.where(Application.due_on <= wanted.due_by)
    if wanted.household_id is not None:
        query = query.where(Application.household_id == wanted.household_id)
    if after is not None:
        query = query.where(Application.application_id > after)
    return (await session.execute(query)).mappings().all()


async def one(
    session: AsyncSession, application_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One application as it stands."""
    rows = await session.execute(
        select(Application.__table__)
        .where(Application.application_id == application_id)
        .where(in_divisions(Application.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def open_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> UUID | None:
    """The household's application that has not ended; None without one."""
    found: UUID | None = await session.scalar(
        select(Application.application_id)
        .where(Application.household_id == household_id, Application.ended_on.is_(None))
        .where(in_divisions(Application.division_code, divisions))
    )
    return found


async def whole(session: AsyncSession, application: RowMapping) -> Whole:
    """The application with every paper of its case."""
    of = application["application_id"]

    async def rows(query: Select[*tuple[Any, ...]]) -> Sequence[RowMapping]:
        return (await session.execute(query)).mappings().all()

    tables: Iterable[tuple[type[Any], Any]] = (
        (ApplicationPaper, ApplicationPaper.paper_id),
        (ApplicationDeclaration, ApplicationDeclaration.declaration_id),
        (ApplicationSurvey, ApplicationSurvey.survey_id),
        (SurveySignature, SurveySignature.recorded_at),
        (ApplicationAppraisal, ApplicationAppraisal.appraisal_id),
        (ApplicationOpinion, ApplicationOpinion.opinion_id),
        (ApplicationDecision, ApplicationDecision.decision_id),
    )
    found = [
        await rows(select(table.__table__).where(table.application_id == of).order_by(order))
        for table, order in tables
    ]
    return Whole(application, *found)


async def registered(
    session: AsyncSession, person_ids: Sequence[UUID], *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The register's entries in force on any of these persons."""
    rows = await session.execute(
        _register(divisions)
        .where(among(StaffRelative.person_id, person_ids))
        .where(StaffRelative.ended_on.is_(None))
    )
    return rows.mappings().all()


async def relative(
    session: AsyncSession, staff_relative_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One entry of the register of staff relatives."""
    wanted = _register(divisions).where(StaffRelative.staff_relative_id == staff_relative_id)
    return (await session.execute(wanted)).mappings().one_or_none()


async def relatives_page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The register by id, the earliest entry first, after one."""
    query = (
        _register(divisions)
        .where(in_divisions(StaffRelative.division_code, within))
        .order_by(StaffRelative.staff_relative_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(StaffRelative.staff_relative_id > after)
    return (await session.execute(query)).mappings().all()


def _register(divisions: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return select(StaffRelative.__table__).where(
        in_divisions(StaffRelative.division_code, divisions)
    )


def papers_of(known: Whole) -> list[Paper]:
    """The papers of a case as the rules take them."""
    return [
        Paper(
            kind=PaperKind(row["kind"]),
            received_on=row["received_on"],
            reference=row["reference"],
            person_id=row["person_id"],
            attachment_id=row["attachment_id"],
        )
        for row in known.papers
    ]


def case_of(known: Whole) -> Case:
    """The case as the rules look at it."""
    here = known.application["round"]
    opinions = [each for each in known.opinions if each["round"] == here]
    appraised = [each["held_on"] for each in known.appraisals if each["round"] == here]
    return replace(
        bare_case(known.application),
        surveys=tuple(_surveyed(each, known.signatures) for each in known.surveys),
        appraised_on=max(appraised, default=None),
        opinion=_given(opinions[-1]) if opinions else None,
        earlier_opinions=frozenset(each["officer_id"] for each in known.opinions),
    )


def bare_case(row: Mapping[Any, Any]) -> Case:
    """The case as far as its application's row tells, without what was found in it."""
    return Case(
        application_id=row["application_id"],
        household_id=row["household_id"],
        state=ApplicationState(row["state"]),
        category=Category(row["category"]),
        round=row["round"],
        applied_on=row["applied_on"],
        accepted_on=row["accepted_on"],
        staff_relative=row["staff_relative"],
        sampled=row["sampled"],
    )


async def due(
    session: AsyncSession, case: Case, clock: Clock, from_day: date, place: str
) -> Deadline | None:
    """The last day of a step set off on ``from_day``, but never after that of the whole."""
    calendar = await workdays.load(session)
    asked = [(clock, from_day)]
    if case.accepted_on is not None and clock is not Clock.DELIVERY:
        whole = await _whole_clocks(session, case, case.accepted_on, place)
        asked += [(each, case.accepted_on) for each in whole]
    found = []
    for each, day in asked:
        known = deadlines.limit(each, RuleSet.on(day), case.category)
        if known is None:
            continue
        key, by_law = known
        value = await parameters.value_at(session, key, place[:_COUNTY], day)
        by_county = value.value if value else None
        found.append(deadlines.due(calendar, day, by_law, by_county))
    return deadlines.sooner(*found)


async def _whole_clocks(
    session: AsyncSession, case: Case, accepted_on: date, place: str
) -> list[Clock]:
    """Which times the whole has; one more where the township decided such cases when it began."""
    if case.round > 1:
        return [Clock.SPECIAL]
    by = await delegations.holding(
        session, place, case.category, accepted_on, staff_relative=case.staff_relative
    )
    return [Clock.TOTAL] if by is None else [Clock.TOTAL, Clock.DELEGATED]


def _surveyed(row: Mapping[Any, Any], signatures: Sequence[RowMapping]) -> Surveyed:
    signed = (each for each in signatures if each["survey_id"] == row["survey_id"])
    return Surveyed(
        survey_id=row["survey_id"],
        round=row["round"],
        kind=SurveyKind(row["kind"]),
        surveyed_on=row["surveyed_on"],
        officers=frozenset(each["officer_id"] for each in signed),
    )


def _given(row: Mapping[Any, Any]) -> Given:
    return Given(
        given_on=row["given_on"],
        in_favour=row["in_favour"],
        category=Category(row["category"]),
        amount=row["amount"],
        officer_id=row["officer_id"],
        without_report=bool(row["without_report"]),
    )
