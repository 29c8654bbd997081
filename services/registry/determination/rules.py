"""Under which conditions an application takes its next step (C4, R28–R29, "Who decides"). Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.determination.deadlines import APPRAISED
from services.registry.determination.process import (
    FROM,
    Appraisal,
    Case,
    Missing,
    Opinion,
    Paper,
    PaperKind,
    Step,
    Survey,
    SurveyKind,
)
from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from services.registry.notices.rules import is_adult
from shared.contracts.registry import Category, RuleSet, State
from shared.errors import Fault

SURVEYORS = 2
"""A survey is made and signed by two officers at least (R29, "Who decides")."""

_ALWAYS_ASKED = (
    PaperKind.APPLICATION,
    PaperKind.COMMITMENT,
    PaperKind.IDENTITY_COPY,
    PaperKind.DECLARATION,
)


def step_faults(case: Case, step: Step) -> list[Fault]:
    """Whether the step may follow at all. Example: an opinion on an application just made: no."""
    if case.state in FROM[step]:
        return []
    after = "、".join(sorted(FROM[step]))
    message = f"申请现为“{case.state}”状态,此步骤只能在“{after}”状态办理"
    return [fault("", "transition_forbidden", message)]


def application_faults(facts: Facts, *, applied_on: date, opened_on: date) -> list[Fault]:
    """Whether a household may apply: its file is open and it is not on assistance.

    A household lifted or struck off comes back through a return check, on the same file.
    """
    if facts.state is not State.ACCEPTED:
        message = f"档案现为“{facts.state}”状态,只有已建档、未认定的家庭可以申请"
        return [fault("household_id", "household_state", message)]
    if applied_on < opened_on:
        return [fault("applied_on", "before_file", f"申请日期不能早于建档日期{opened_on}")]
    return []


def missing_papers(
    facts: Facts, papers: Iterable[Paper], *, on: date, staff_relative: bool
) -> list[Missing]:
    """Every paper that is still to come, all at once (N12 13, N21 10).

    Example: a couple with a child, nothing handed in: application, commitment, identity copy,
    declaration, and one authorisation for each of the two adults.
    """
    held = {(paper.kind, paper.person_id) for paper in papers}
    kinds = {kind for kind, _ in held}
    wanted = [*_ALWAYS_ASKED, *([PaperKind.RELATIVE_FILING] if staff_relative else [])]
    adults = [each for each in facts.members if each.counted and is_adult(each, on)]
    return [Missing(kind) for kind in wanted if kind not in kinds] + [
        Missing(PaperKind.AUTHORIZATION, adult.person_id)
        for adult in adults
        if (PaperKind.AUTHORIZATION, adult.person_id) not in held
    ]


def paper_faults(facts: Facts, papers: Sequence[Paper], *, today: date) -> list[Fault]:
    """All that is wrong with papers handed in: an authorisation says whose it is."""
    faults = []
    for at, paper in enumerate(papers):
        where = f"papers/{at}"
        faults += day_faults(f"#/{where}/received_on", paper.received_on, today=today)
        if not paper.reference.strip():
            faults.append(fault(f"{where}/reference", "reference_missing", "须写明材料存放编号"))
        if paper.person_id is not None and facts.member(paper.person_id) is None:
            faults.append(fault(f"{where}/person_id", "member_unknown", "不是本户现有成员"))
        elif paper.kind is PaperKind.AUTHORIZATION and paper.person_id is None:
            faults.append(fault(f"{where}/person_id", "person_missing", "授权书须写明授权人"))
    return faults


def acceptance_faults(case: Case, missing: Sequence[Missing], accepted_on: date) -> list[Fault]:
    """Accepted once the papers are complete; every missing one is named."""
    faults = _since("accepted_on", accepted_on, case.applied_on, "申请")
    for each in missing:
        whose = f"(成员{each.person_id})" if each.person_id else ""
        faults.append(fault("", "papers_missing", f"缺少材料:{each.kind}{whose}"))
    return faults


def survey_faults(case: Case, survey: Survey, officer_id: str | None, today: date) -> list[Fault]:
    """All that speaks against a visit: after acceptance, signed, with findings in words."""
    faults = officer_faults(officer_id)
    faults += day_faults("#/surveyed_on", survey.surveyed_on, today=today)
    faults += _since("surveyed_on", survey.surveyed_on, case.accepted_on, "受理")
    if not survey.findings.strip():
        faults.append(fault("findings", "findings_missing", "须以文字写明入户调查情况"))
    return faults


def appraisal_faults(case: Case, appraisal: Appraisal, today: date) -> list[Fault]:
    """All that speaks against an appraisal: two thirds are villagers (N12 22).

    Example: 12 participants, 8 of them villagers, pass; 7 of 12 do not.
    """
    faults = day_faults("#/held_on", appraisal.held_on, today=today)
    survey = case.survey(SurveyKind.TOWNSHIP)
    surveyed_on = survey.surveyed_on if survey else None
    faults += _since("held_on", appraisal.held_on, surveyed_on, "入户调查")
    if appraisal.in_favour > appraisal.participants:
        faults.append(fault("in_favour", "votes_exceed", "赞成人数不能多于参加人数"))
    if appraisal.villagers > appraisal.participants:
        faults.append(fault("villagers", "votes_exceed", "村民代表人数不能多于参加人数"))
    elif appraisal.villagers * 3 < appraisal.participants * 2:
        message = "村(居)民代表不得少于参加评议总人数的三分之二"
        faults.append(fault("villagers", "villagers_too_few", message))
    if not appraisal.minutes.strip():
        faults.append(fault("minutes", "minutes_missing", "须有评议记录"))
    return faults


def opinion_faults(
    case: Case, opinion: Opinion, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against an opinion: survey signed by two, appraisal where the law has it."""
    faults = officer_faults(officer_id)
    faults += day_faults("#/given_on", opinion.given_on, today=today)
    survey = case.survey(SurveyKind.TOWNSHIP)
    if survey is None:
        faults.append(fault("", "survey_missing", "本轮尚未入户调查"))
    else:
        faults += _since("given_on", opinion.given_on, survey.surveyed_on, "入户调查")
        if len(survey.officers) < SURVEYORS:
            signed = len(survey.officers)
            message = f"入户调查须由{SURVEYORS}名以上调查人员签字,现有{signed}人"
            faults.append(fault("", "surveyors_too_few", message))
    if appraisal_due(opinion.given_on) and case.appraised_on is None:
        faults.append(fault("", "appraisal_missing", "本轮尚未民主评议"))
    elif case.appraised_on is not None:
        faults += _since("given_on", opinion.given_on, case.appraised_on, "民主评议")
    if not opinion.words.strip():
        faults.append(fault("words", "words_missing", "初审意见须以文字写明"))
    return faults


def appraisal_due(on: date) -> bool:
    """Whether the law of that day has every application appraised: until 2021-06-30."""
    return RuleSet.on(on) in APPRAISED


def sample_key(rule_set: RuleSet, category: Category) -> str:
    """The parameter with the share of cases that the county visits: ``sample_rate.LS2016``."""
    own = category is Category.TEKUN and rule_set is not RuleSet.LS2016
    return f"sample_rate.{rule_set}{'.tekun' if own else ''}"


def sample_rate_by_law(rule_set: RuleSet, category: Category) -> Decimal:
    """The least share by law: 30 % until 2021-06-30 (N12 26) and of tekun later (TK), else none."""
    asked = rule_set is RuleSet.LS2016 or category is Category.TEKUN
    return Decimal("0.3") if asked else Decimal(0)


def drawn(application_id: UUID, rate: Decimal) -> bool:
    """Whether the lot falls on a case: from its id alone, so that it can be drawn again.

    Example: a rate of 1 draws every case, a rate of 0 none.
    """
    lot = int.from_bytes(hashlib.sha256(application_id.bytes).digest()[:8])
    return lot < rate * 2**64


def withdrawal_faults(case: Case, withdrawn_on: date, reason: str, today: date) -> list[Fault]:
    """All that speaks against a withdrawal: it is the applicant's, on a day, for a reason."""
    faults = day_faults("#/withdrawn_on", withdrawn_on, today=today)
    faults += _since("withdrawn_on", withdrawn_on, case.applied_on, "申请")
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须写明申请人撤回的理由"))
    return faults


def signature_faults(survey_officers: Collection[str], officer_id: str | None) -> list[Fault]:
    """Each officer signs once, by his own account."""
    faults = officer_faults(officer_id)
    if officer_id in survey_officers:
        faults.append(fault("", "already_signed", "本人已在该入户调查上签字"))
    return faults


def county_only() -> Fault:
    """The village assists, the township examines, the county visits and decides (R29)."""
    return fault("", "county_decides", "此步骤由县级主管部门办理,须具有全县范围的权限")


def _since(where: str, day: date, earlier: date | None, what: str) -> list[Fault]:
    if earlier is None or day >= earlier:
        return []
    return [fault(where, "before_last_step", f"日期不能早于{what}日期{earlier}")]
