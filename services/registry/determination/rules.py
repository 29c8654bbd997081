"""Under which conditions an application takes its next step (C4, R28–R29, "Who decides"). Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.determination.articles import bureau_of
from services.registry.determination.deadlines import APPRAISED
from services.registry.determination.process import (
    FROM,
    ApplicationState,
    Appraisal,
    Case,
    Missing,
    Opinion,
    Paper,
    PaperKind,
    Step,
    Survey,
    Surveyed,
    SurveyKind,
)
from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from services.registry.means.declared import Declaration
from services.registry.means.facts import Finding
from services.registry.notices.rules import is_adult
from services.registry.verification.latest import LatestReport
from services.registry.verification.sources import NAMES_ZH
from shared.contracts.registry import Category, RuleSet, State
from shared.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides: the officer, the bureau of his token, and whether he covers the whole county.

    ``delegated``: the county has left this decision to his township (``delegable``).
    """

    officer_id: str | None
    bureau: str | None
    whole_county: bool
    delegated: bool = False


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
    facts: Facts,
    papers: Iterable[Paper],
    *,
    on: date,
    staff_relative: bool,
    authorised: Collection[UUID] = (),
) -> list[Missing]:
    """Every paper that is still to come, all at once (N12 13, N21 10).

    ``authorised`` have signed for the data check already.

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
        and adult.person_id not in authorised
    ]


def paper_faults(facts: Facts, papers: Sequence[Paper], *, today: date) -> list[Fault]:
    """All that is wrong with papers handed in: an authorisation says whose it is."""
    faults = []
    for at, paper in enumerate(papers):
        where = f"papers/{at}"
        faults += day_faults(f"{where}/received_on", paper.received_on, today=today)
        if not paper.reference.strip():
            faults.append(fault(f"{where}/reference", "reference_missing", "须写明材料存放编号"))
        if paper.person_id is not None and facts.member(paper.person_id) is None:
            faults.append(fault(f"{where}/person_id", "member_unknown", "不是本户现有成员"))
        elif paper.kind is PaperKind.AUTHORIZATION and paper.person_id is None:
            faults.append(fault(f"{where}/person_id", "person_missing", "授权书须写明授权人"))
    return faults


def removal_faults(declaration: Declaration, officer_id: str | None) -> list[Fault]:
    """An imputed income is taken away in the name of the officer who enters it (R7)."""
    return [
        fault(f"declaration/removals/{at}", "removal_not_yours", "须由本人署名取消推定收入")
        for at, removal in enumerate(declaration.removals)
        if removal.officer_id != officer_id
    ]


def acceptance_faults(case: Case, missing: Sequence[Missing], accepted_on: date) -> list[Fault]:
    """Accepted once the papers are complete; every missing one is named."""
    faults = _since("accepted_on", accepted_on, case.applied_on, "申请")
    for each in missing:
        whose = f"(成员{each.person_id})" if each.person_id else ""
        faults.append(fault("", "papers_missing", f"缺少材料:{each.kind}{whose}"))
    return faults


def survey_faults(case: Case, survey: Survey, officer_id: str | None, today: date) -> list[Fault]:
    """All that speaks against a visit: after acceptance, signed, with findings in words."""
    faults = officer_faults(officer_id) + own_relative(case, officer_id)
    faults += day_faults("surveyed_on", survey.surveyed_on, today=today)
    faults += _since("surveyed_on", survey.surveyed_on, case.accepted_on, "受理")
    if not survey.findings.strip():
        faults.append(fault("findings", "findings_missing", "须以文字写明入户调查情况"))
    return faults


def appraisal_faults(case: Case, appraisal: Appraisal, today: date) -> list[Fault]:
    """All that speaks against an appraisal: two thirds are villagers (N12 22).

    Example: 12 participants, 8 of them villagers, pass; 7 of 12 do not.
    """
    faults = day_faults("held_on", appraisal.held_on, today=today)
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
    faults = officer_faults(officer_id) + own_relative(case, officer_id)
    faults += day_faults("given_on", opinion.given_on, today=today)
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


def report_faults(report: LatestReport | None, opinion: Opinion) -> list[Fault]:
    """The data check is done: doubts settled, no death, and what is missing signed for (section 4).

    An officer may go on without a source, or without a report, if he says why.
    """
    if report is None:
        message = "没有有效的核对报告,请先核对,或由经办人写明不待报告的理由"
        signed = opinion.without_report.strip()
        return [] if signed else [fault("without_report", "report_missing", message)]
    signed_for = {name for name, why in opinion.missing_sources.items() if why.strip()}
    absent = [each for each in report.missing_sources if each.value not in signed_for]
    return verified_faults(report) + [
        fault("missing_sources", "source_missing", f"核对来源“{NAMES_ZH[each]}”尚未反馈,须写明理由")
        for each in absent
    ]


def verified_faults(report: LatestReport) -> list[Fault]:
    """What a report forbids whoever signs: a death mark, a doubt that nobody has settled."""
    faults = []
    if report.stopped:
        faults.append(fault("", "verification_stopped", "核对发现死亡登记,核对已终止,须先核实"))
    if report.open_doubts:
        named = "、".join(NAMES_ZH[each.source] for each in report.open_doubts)
        faults.append(fault("", "doubt_open", f"核对疑点尚未核实:{named}"))
    return faults


def report_expired() -> Fault:
    """The report of the opinion no longer holds on the day of the decision."""
    return fault("", "report_missing", "决定日没有有效的核对报告,请重新核对")


def finding_faults(finding: Finding, category: Category, reason: str) -> list[Fault]:
    """Whoever decides in favour against the means test says why."""
    verdict = finding.verdict(category)
    if verdict.eligible or reason.strip():
        return []
    why = ";".join(each.sentence for each in verdict.reasons)
    message = f"核算结果为不符合({why}),作出不同决定须写明理由"
    return [fault("reason", "finding_differs", message)]


def announcement_faults(case: Case, officer_id: str | None) -> list[Fault]:
    """A notice follows an opinion in favour; one against goes to the county as it is."""
    faults = officer_faults(officer_id)
    if case.opinion is None or not case.opinion.in_favour:
        faults.append(fault("", "opinion_against", "初审意见为不符合,不予公示,由县级作出决定"))
    return faults


def decision_faults(
    case: Case, decider: Decider, category: Category, decided_on: date, today: date
) -> list[Fault]:
    """Who may decide, and when: the competent bureau of the county, or the township to which it
    has left the decision; nobody who handled the case.

    Example: dibao is decided by civil affairs, the 4600 group by the poverty-alleviation office.
    """
    faults = officer_faults(decider.officer_id) + own_relative(case, decider.officer_id)
    faults += day_faults("decided_on", decided_on, today=today)
    if decider.officer_id in case.handled_by:
        message = "参与入户调查或出具初审意见的人员不得对同一申请作出决定"
        faults.append(fault("", "same_officer", message))
    faults += competence_faults(decider, category)
    last = case.opinion.given_on if case.opinion else case.accepted_on
    return faults + _since("decided_on", decided_on, last, "上一步骤")


def competence_faults(decider: Decider, category: Category) -> list[Fault]:
    """The competent bureau of the whole county decides, or a township to which it left that."""
    if decider.delegated and not decider.whole_county:
        return []
    faults = [] if decider.whole_county else [county_only()]
    bureau, name = bureau_of(category)
    if decider.bureau != bureau:
        faults.append(fault("", "bureau_not_competent", f"此类别由县级{name}作出决定"))
    return faults


def visit_faults(case: Case) -> list[Fault]:
    """The county visits relatives of staff always, and whom the lot fell on, before it decides."""
    if not case.needs_visit or case.survey(SurveyKind.COUNTY) is not None:
        return []
    why = "经办人员或村(居)委会成员的近亲属" if case.staff_relative else "抽查对象"
    return [fault("", "county_visit_missing", f"申请人为{why},县级须先入户调查")]


def refusal_faults(reason: str, failed_tests: Sequence[str]) -> list[Fault]:
    """A refusal is a person's, for a reason in words, and names the test that failed."""
    faults = []
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "不予认定须以文字写明理由"))
    if not any(test.strip() for test in failed_tests):
        message = "不予认定须写明不符合的条件"
        faults.append(fault("failed_tests", "failed_test_missing", message))
    return faults


def correction_faults(
    case: Case,
    error_found: str,
    reason: str,
    *,
    says_what: bool,
    household: State,
    corrected_on: date,
    decided_on: date,
) -> list[Fault]:
    """All that speaks against a correction: the error and the reason in words, and what holds.

    Example: a refusal is taken up again and names no category; a household identified in error is
    struck off by its own procedure, not here.
    """
    faults = _since("decided_on", corrected_on, decided_on, "原决定")
    for name, words in (("error_found", error_found), ("reason", reason)):
        if not words.strip():
            faults.append(fault(name, "reason_missing", "须以文字写明原决定的错误和更正理由"))
    refused = case.state is ApplicationState.REFUSED
    if refused and says_what:
        message = "更正不予认定的决定须重新调查审核,不能直接填写类别或金额"
        faults.append(fault("", "correction_reopens", message))
    if not refused and not says_what:
        message = "须写明更正后的类别或金额;不应认定的,按退出程序公示后办理"
        faults.append(fault("", "correction_empty", message))
    if household is not State.ACCEPTED if refused else not household.on_assistance:
        faults.append(fault("", "household_state", f"档案现为“{household}”状态,不能更正此决定"))
    return faults


def delivery_faults(
    delivered_on: date, decided_on: date, reference: str, today: date
) -> list[Fault]:
    """A delivery follows the decision and has its proof."""
    faults = day_faults("delivered_on", delivered_on, today=today)
    faults += _since("delivered_on", delivered_on, decided_on, "决定")
    if not reference.strip():
        faults.append(fault("reference", "reference_missing", "须写明送达回证存放编号"))
    return faults


def withdrawal_faults(case: Case, withdrawn_on: date, reason: str, today: date) -> list[Fault]:
    """All that speaks against a withdrawal: it is the applicant's, on a day, for a reason."""
    faults = day_faults("withdrawn_on", withdrawn_on, today=today)
    faults += _since("withdrawn_on", withdrawn_on, case.applied_on, "申请")
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须写明申请人撤回的理由"))
    return faults


def signature_faults(case: Case, survey: Surveyed, officer_id: str | None) -> list[Fault]:
    """Each officer signs once, by his own account, and never for his own relatives."""
    faults = officer_faults(officer_id) + own_relative(case, officer_id)
    if officer_id in survey.officers:
        faults.append(fault("", "already_signed", "本人已在该入户调查上签字"))
    return faults


def own_relative(case: Case, officer_id: str | None) -> list[Fault]:
    """Whom the register names as a relative of the household takes no part in its case."""
    if officer_id not in case.related_officers:
        return []
    return [fault("", "own_relative", "经办人员与申请家庭有近亲属关系,应当回避")]


def county_only() -> Fault:
    """The village assists, the township examines, the county visits and decides (R29)."""
    return fault("", "county_decides", "此步骤由县级主管部门办理,须具有全县范围的权限")


def _since(where: str, day: date, earlier: date | None, what: str) -> list[Fault]:
    if earlier is None or day >= earlier:
        return []
    return [fault(where, "before_last_step", f"日期不能早于{what}日期{earlier}")]
