"""Taking an application from its papers to the township's opinion (C4).

Every step fits the state, the round and the version that the officer read, or it is refused and
nothing is written. The notice and the decisions stand in ``deciding``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import models, queries, rules, steps
from services.registry.determination.deadlines import Clock
from services.registry.determination.findings import DECLARATION
from services.registry.determination.process import (
    ApplicationState,
    Appraisal,
    Missing,
    Opinion,
    Paper,
    Step,
    Survey,
    SurveyKind,
)
from services.registry.determination.steps import Opened
from services.registry.households import actions as households
from services.registry.households.actions import File
from services.registry.households.refusals import refuse_if
from services.registry.households.rules import day_faults, officer_faults
from services.registry.means.declared import Declaration, case_of
from services.registry.means.rules import case_faults
from services.registry.notices.rules import Wish, wish_faults
from services.registry.tasks.models import TaskKind
from services.registry.verification import queries as verification
from services.registry.verification.consent import is_live
from shared import attachments, clock, identity, parameters
from shared.auth import Caller
from shared.contracts.notices import NoticeKind
from shared.contracts.registry import Category, RuleSet
from shared.errors import Conflict, Fault, NotFound

_COUNTY = len("331124")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a household applies for; ``staff_relative`` as the applicant declares it."""

    household_id: UUID
    category: Category
    applied_on: date
    applicant_person_id: UUID | None = None
    staff_relative: bool = False
    papers: Sequence[Paper] = ()


async def apply(session: AsyncSession, caller: Caller, wanted: Wanted) -> UUID:
    """Take an application of a household on file; gives its id.

    The applicant is told once, here, of all papers that are missing. Raises NotFound, Conflict
    (``application_open``), or Refused listing every fault.
    """
    file = await households.lock_one(session, caller, wanted.household_id)
    if await queries.open_of(session, wanted.household_id, divisions=caller.divisions):
        raise Conflict("application_open", "this household has an application that has not ended")
    faults = _application_faults(caller, file, wanted)
    refuse_if(faults + await _scan_faults(session, wanted.papers, file.household_id))
    lacking = rules.missing_papers(
        file.facts,
        wanted.papers,
        on=wanted.applied_on,
        staff_relative=wanted.staff_relative,
        authorised=await _authorised(session, caller, file.household_id, wanted.applied_on),
    )
    row = _row(caller, file, wanted, lacking)
    await session.execute(insert(models.Application), [row])
    await _store_papers(session, caller, row, wanted.papers)
    await steps.open_tasks(session, row, {TaskKind.ACCEPTANCE: None})
    await steps.note(session, caller, row, "apply")
    return UUID(str(row["application_id"]))


async def add_papers(
    session: AsyncSession, caller: Caller, application_id: UUID, papers: Sequence[Paper]
) -> None:
    """Put papers to the case of an application that has not ended."""
    opened = await steps.begin(session, caller, application_id, Step.ADD_PAPERS)
    faults = officer_faults(caller.officer_id)
    faults += rules.paper_faults(opened.file.facts, papers, today=clock.today())
    refuse_if(faults + await _scan_faults(session, papers, opened.file.household_id))
    await _store_papers(session, caller, opened.whole.application, papers)
    await steps.move(session, caller, opened, Step.ADD_PAPERS, {})


async def declare(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    declared_on: date,
    declaration: Declaration,
) -> None:
    """Keep what the applicant declares beside the file; it takes the place of an earlier one.

    Raises Refused listing all that the means test cannot reckon with.
    """
    opened = await steps.begin(session, caller, application_id, Step.DECLARE)
    case = case_of(opened.file.facts, declaration, applied_on=opened.case.applied_on)
    faults = officer_faults(caller.officer_id)
    faults += day_faults("declared_on", declared_on, today=clock.today())
    faults += rules.removal_faults(declaration, caller.officer_id)
    refuse_if(faults + case_faults(case))
    row = opened.belongs | {
        "declaration_id": identity.new_id(),
        "declared_on": declared_on,
        "declaration": DECLARATION.dump_python(declaration, mode="json"),
        "entered_by": caller.officer_id,
    }
    await session.execute(insert(models.ApplicationDeclaration), [row])
    await steps.move(session, caller, opened, Step.DECLARE, {})


async def accept(
    session: AsyncSession, caller: Caller, application_id: UUID, revision: int, accepted_on: date
) -> None:
    """Accept an application whose papers are complete; the township's clocks begin."""
    opened = await steps.begin(session, caller, application_id, Step.ACCEPT, revision)
    faults = officer_faults(caller.officer_id)
    faults += day_faults("accepted_on", accepted_on, today=clock.today())
    faults += rules.acceptance_faults(
        opened.case, await _missing(session, caller, opened), accepted_on
    )
    refuse_if(faults)
    case = replace(opened.case, accepted_on=accepted_on)
    survey, opinion = [
        await queries.due(session, case, each, accepted_on, opened.place)
        for each in (Clock.SURVEY, Clock.OPINION)
    ]
    changed = {"state": ApplicationState.ACCEPTED, "accepted_on": accepted_on}
    changed |= steps.due_columns(opinion)
    row = await steps.move(session, caller, opened, Step.ACCEPT, changed)
    await steps.close_tasks(session, application_id, [TaskKind.ACCEPTANCE])
    await steps.open_tasks(session, row, {TaskKind.SURVEY: survey, TaskKind.OPINION: opinion})


async def _missing(session: AsyncSession, caller: Caller, opened: Opened) -> list[Missing]:
    """Every paper that the case still lacks; a relative on the register needs no other filing."""
    case = opened.case
    return rules.missing_papers(
        opened.file.facts,
        queries.papers_of(opened.whole),
        on=case.applied_on,
        staff_relative=opened.whole.application["staff_relative"],
        authorised=await _authorised(session, caller, case.household_id, case.applied_on),
    )


async def _authorised(
    session: AsyncSession, caller: Caller, household_id: UUID, on: date
) -> set[UUID]:
    """Whose authorisation of the data check holds on a day."""
    consents = await verification.consents_of(session, household_id, divisions=caller.divisions)
    return {each.subject_id for each in consents if is_live(each, on=on)}


async def enter_survey(
    session: AsyncSession, caller: Caller, application_id: UUID, survey: Survey
) -> UUID:
    """Enter a visit to the household, signed by the caller; gives its id.

    The township's survey takes the case into verifying; the county's visit leaves its state.
    """
    township = survey.kind is SurveyKind.TOWNSHIP
    step = Step.SURVEY if township else Step.VISIT
    opened = await steps.begin(session, caller, application_id, step)
    faults = rules.survey_faults(opened.case, survey, caller.officer_id, clock.today())
    if not township and not covers_county(caller, opened.place):
        faults.append(rules.county_only())
    refuse_if(faults)
    survey_id = identity.new_id()
    row = opened.belongs | asdict(survey)
    row |= {"survey_id": survey_id, "entered_by": caller.officer_id}
    await session.execute(insert(models.ApplicationSurvey), [row])
    await _store_signature(session, caller, opened, survey_id)
    changed = {"state": ApplicationState.VERIFYING} if township else {}
    await steps.move(session, caller, opened, step, changed)
    if not township:
        await steps.close_tasks(session, application_id, [TaskKind.COUNTY_VISIT])
    return survey_id


async def sign_survey(
    session: AsyncSession, caller: Caller, application_id: UUID, survey_id: UUID
) -> None:
    """Sign the township's newest survey; the second signature ends the survey's clock."""
    opened = await steps.begin(session, caller, application_id, Step.SIGN_SURVEY)
    survey = opened.case.survey(SurveyKind.TOWNSHIP)
    if survey is None or survey.survey_id != survey_id:
        raise NotFound("survey_not_found", "this is not the newest survey of the application")
    refuse_if(rules.signature_faults(opened.case, survey, caller.officer_id))
    await _store_signature(session, caller, opened, survey_id)
    row = await steps.move(session, caller, opened, Step.SIGN_SURVEY, {})
    if len(survey.officers) + 1 < rules.SURVEYORS:
        return
    await steps.close_tasks(session, application_id, [TaskKind.SURVEY])
    if rules.appraisal_due(survey.surveyed_on) and opened.case.appraised_on is None:
        limit = await queries.due(
            session, opened.case, Clock.APPRAISAL, survey.surveyed_on, opened.place
        )
        await steps.open_tasks(session, row, {TaskKind.APPRAISAL: limit})


async def enter_appraisal(
    session: AsyncSession, caller: Caller, application_id: UUID, appraisal: Appraisal
) -> UUID:
    """Enter what the village's appraisal came to; gives its id."""
    opened = await steps.begin(session, caller, application_id, Step.APPRAISE)
    faults = officer_faults(caller.officer_id)
    faults += rules.appraisal_faults(opened.case, appraisal, clock.today())
    refuse_if(faults)
    appraisal_id = identity.new_id()
    row = opened.belongs | asdict(appraisal)
    row |= {"appraisal_id": appraisal_id, "entered_by": caller.officer_id}
    await session.execute(insert(models.ApplicationAppraisal), [row])
    await steps.move(session, caller, opened, Step.APPRAISE, {})
    await steps.close_tasks(session, application_id, [TaskKind.APPRAISAL])
    return appraisal_id


async def give_opinion(
    session: AsyncSession, caller: Caller, application_id: UUID, revision: int, opinion: Opinion
) -> None:
    """Give the township's opinion in words, and draw the lot of the county's visit.

    In favour the notice comes next; against, the county's decision.
    """
    opened = await steps.begin(session, caller, application_id, Step.GIVE_OPINION, revision)
    case, day = opened.case, opinion.given_on
    report = await verification.latest_report(
        session, case.household_id, divisions=caller.divisions, on=day
    )
    faults = rules.opinion_faults(case, opinion, caller.officer_id, clock.today())
    faults += rules.report_faults(report, opinion) if opinion.in_favour else []
    refuse_if(faults)
    category = opinion.category or case.category
    row = opened.belongs | asdict(opinion)
    row |= {
        "opinion_id": identity.new_id(),
        "category": category,
        "report_id": report.report_id if report else None,
        "officer_id": caller.officer_id,
    }
    await session.execute(insert(models.ApplicationOpinion), [row])
    lot = await _lot(session, opened, category, day)
    limit = None
    if not opinion.in_favour:
        limit = await queries.due(session, case, Clock.DECISION, day, opened.place)
    changed = {"state": ApplicationState.OPINION, "staff_relative": case.staff_relative}
    changed |= lot | steps.due_columns(limit)
    moved = await steps.move(session, caller, opened, Step.GIVE_OPINION, changed)
    await steps.close_tasks(session, application_id, [TaskKind.OPINION])
    waiting = {TaskKind.ANNOUNCEMENT if opinion.in_favour else TaskKind.DECISION: limit}
    if case.staff_relative or lot["sampled"]:
        waiting[TaskKind.COUNTY_VISIT] = limit
    await steps.open_tasks(session, moved, waiting)


def covers_county(caller: Caller, place: str) -> bool:
    """Whether the caller's divisions hold the whole county of a village."""
    return caller.covers(place[:_COUNTY])


async def _lot(
    session: AsyncSession, opened: Opened, category: Category, day: date
) -> dict[str, Any]:
    law = RuleSet.on(day)
    rate = rules.sample_rate_by_law(law, category)
    key = rules.sample_key(law, category)
    value = await parameters.value_at(session, key, opened.place[:_COUNTY], day)
    rate = max(rate, value.value) if value else rate
    return {
        "sample_rate": rate,
        "sampled": rules.drawn(opened.case.application_id, rate),
    }


def _application_faults(caller: Caller, file: File, wanted: Wanted) -> list[Fault]:
    today = clock.today()
    faults = officer_faults(caller.officer_id)
    faults += day_faults("applied_on", wanted.applied_on, today=today)
    faults += rules.application_faults(
        file.facts, applied_on=wanted.applied_on, opened_on=file.opened_on
    )
    wish = Wish(
        kind=NoticeKind.IDENTIFICATION,
        category=wanted.category,
        applicant_person_id=wanted.applicant_person_id,
    )
    faults += wish_faults(file.facts, wish, on=today) if not faults else []
    return faults + rules.paper_faults(file.facts, wanted.papers, today=today)


def _row(caller: Caller, file: File, wanted: Wanted, lacking: Sequence[Missing]) -> dict[str, Any]:
    return {
        "application_id": identity.new_id(),
        "household_id": file.household_id,
        "division_code": file.facts.division_code,
        "category": wanted.category,
        "state": ApplicationState.APPLIED,
        "round": 1,
        "applicant_person_id": wanted.applicant_person_id,
        "applied_on": wanted.applied_on,
        "papers_told": [
            {"kind": each.kind, "person_id": str(each.person_id) if each.person_id else None}
            for each in lacking
        ],
        "staff_relative": wanted.staff_relative,
        "due_provisional": False,
        "opened_by": caller.officer_id,
        "revision": 1,
        "recorded_at": clock.now(),
    }


async def _scan_faults(
    session: AsyncSession, papers: Sequence[Paper], household_id: UUID
) -> list[Fault]:
    scans = {
        f"#/papers/{at}/attachment_id": paper.attachment_id
        for at, paper in enumerate(papers)
        if paper.attachment_id
    }
    return await attachments.faults_of(session, scans, household_id)


async def _store_papers(
    session: AsyncSession, caller: Caller, row: Mapping[Any, Any], papers: Sequence[Paper]
) -> None:
    if not papers:
        return
    shared = {name: row[name] for name in ("application_id", "household_id", "division_code")}
    shared |= {"received_by": caller.officer_id, "recorded_at": clock.now()}
    rows = [shared | asdict(paper) | {"paper_id": identity.new_id()} for paper in papers]
    await session.execute(insert(models.ApplicationPaper), rows)
    scans = {paper.attachment_id for paper in papers if paper.attachment_id}
    await attachments.attach(session, scans, row["household_id"], row["division_code"])


async def _store_signature(
    session: AsyncSession, caller: Caller, opened: Opened, survey_id: UUID
) -> None:
    row = opened.belongs | {"survey_id": survey_id, "officer_id": caller.officer_id}
    del row["round"]
    await session.execute(insert(models.SurveySignature), [row])
