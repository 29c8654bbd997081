"""The conditions of every move, one by one, each with the sentence that says what is missing.

Section 5: guards and lift criteria; C4, C8, C24, C25, C60. Pure.
"""

from datetime import date

from services.registry.checks.rules import Basis, basis_of
from services.registry.households.facts import Facts
from services.registry.households.rules import standing_faults
from services.registry.lifecycle.ruling import (
    BETWEEN_CHECKS,
    REASONED,
    Check,
    Circumstances,
    Move,
    Ruling,
    tracking_key,
)
from services.registry.notices.rules import NO_NOTICE, Announcement
from services.registry.plans.measures import unanswered
from shared import clock
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.notices import NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category


def always(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    """What every decision needs: a person who signs, a day that fits, a reason where one is due."""
    day = ruling.decided_on
    return [
        Check("officer_missing", bool(around.officer_id), "#", "决定须由具名经办人作出"),
        Check("date_in_future", day <= around.today, "#/decided_on", "决定日期不能晚于今天"),
        Check(
            "before_episode",
            day >= _since(facts, around.opened_on),
            "#/decided_on",
            "决定日期不能早于本轮帮扶的上一步",
        ),
        Check(
            "reason_missing",
            ruling.move not in REASONED or bool(ruling.reason.strip()),
            "#/reason",
            "须以文字写明理由",
        ),
        Check(
            "application_in_progress",
            around.application in {None, ruling.application_id},
            "#",
            f"该户申请{around.application}正在办理,请在该申请中作出决定或先办结",
            rests_on=(ruling.application_id,) if ruling.application_id else (),
        ),
    ]


def _since(facts: Facts, opened_on: date) -> date:
    if not facts.episodes:
        return opened_on
    last = facts.episodes[-1]
    return max(day for day in (last.identified_on, last.lifted_on, last.exited_on) if day)


def identify(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    """A category, a head, somebody who counts, and the notice of that very category (C2, C60)."""
    category = ruling.category or facts.category
    standing = {fault.code for fault in standing_faults(facts)}
    return [
        Check("category_missing", category is not None, "#/category", "认定须确定困难类别"),
        Check("head_missing", "head_missing" not in standing, "#", "档案没有户主"),
        Check("nobody_counts", "nobody_counts" not in standing, "#", "家庭没有计入人口的成员"),
        *announced(facts, ruling, around, category),
    ]


def lift(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    """Income twice above the line, announced, all five guarantees met, every cause answered (C8).

    Not in the month of identification nor the next.
    """
    began = facts.episodes[-1].identified_on
    earliest = clock.next_month(clock.next_month(began))
    too_early = Check(
        "lift_too_early",
        ruling.decided_on >= earliest,
        "#/decided_on",
        f"认定当月和次月不能脱贫,最早为{earliest}",
    )
    basis, checked = _twice_checked(around)
    notice = announced(facts, ruling, around)
    done = [too_early, *_guaranteed(around), _answered(facts, around)]
    return [*done, *checked, *notice, *_after(basis, around.notice)]


def _answered(facts: Facts, around: Circumstances) -> Check:
    """Every cause of the file was answered by a measure that was carried out."""
    left = unanswered(facts.causes, around.measures)
    message = f"致贫原因尚无已落实的措施:{'、'.join(left)}"
    return Check("cause_unanswered", not left, "#", message)


def _guaranteed(around: Circumstances) -> list[Check]:
    red = [kind for kind in GuaranteeKind if around.guarantees.get(kind) is False]
    unknown = [kind for kind in GuaranteeKind if kind not in around.guarantees]
    return [
        Check("guarantee_not_met", not red, "#", f"保障未落实:{'、'.join(red)}"),
        Check("guarantee_unknown", not unknown, "#", f"保障情况尚无结论:{'、'.join(unknown)}"),
    ]


def _twice_checked(around: Circumstances) -> tuple[Basis, list[Check]]:
    if around.months_between is None:
        message = f"缺少已批准的参数{BETWEEN_CHECKS},不能确定两次核查的间隔"
        return Basis(), [Check("parameter_missing", False, BETWEEN_CHECKS, message)]
    months = int(around.months_between)
    basis = basis_of(around.checks, months)
    both = tuple(each.check_id for each in (basis.first, basis.second) if each)
    return basis, [
        Check("income_check_failed", not basis.failed, "#", "最近一次收入核查未通过"),
        Check(
            "income_checks_missing",
            basis.second is not None,
            "#",
            _second_wanted(basis, months),
            rests_on=both,
        ),
        Check(
            "same_officer",
            around.officer_id not in basis.officers,
            "#",
            "核查人不得对同一户作出脱贫决定,请由其他经办人决定",
        ),
    ]


def _second_wanted(basis: Basis, months: int) -> str:
    if basis.first is None:
        return f"脱贫须两次收入核查合格,两次相隔至少{months}个月,本轮帮扶尚无合格核查"
    due = clock.add_months(basis.first.checked_on, months)
    return f"脱贫须两次收入核查合格,第二次最早为{due}"


def _after(basis: Basis, notice: Announcement | None) -> list[Check]:
    """What is announced must be known by then: posted once the second check had passed."""
    if basis.second is None or notice is None or notice.posted_on is None:
        return []
    checked_on = basis.second.checked_on
    return [
        Check(
            "notice_before_check",
            notice.posted_on >= checked_on,
            "#",
            f"脱贫公示须在{checked_on}第二次收入核查之后张贴,请重新公示",
        )
    ]


def announced(
    facts: Facts, ruling: Ruling, around: Circumstances, category: Category | None = None
) -> list[Check]:
    """The public notice of what is decided has ended, and nothing speaks against it (C25, C60).

    The last notice asked for counts. Example: posted on 26 October, decided on 2 November:
    ``notice_not_closed``, naming 3 November. ``category``: the one decided, where it matters.
    A child born, or a move to another village, since it was asked for: ``notice_outdated``, for
    what hung on the board is not what is decided (content changed: the seven days begin anew).
    """
    notice = around.notice
    if notice is None or notice.withdrawn or notice.outcome in NO_NOTICE:
        return [Check("notice_missing", False, "#", _not_announced(notice))]
    first_day = notice.decidable_from
    ended = notice.status is NoticeStatus.CLOSED and notice.outcome is not None
    over = ended and first_day is not None and ruling.decided_on >= first_day
    upheld = notice.outcome is not None and not notice.outcome.allows_decision
    checks = [
        Check("notice_missing", True, "#", "", rests_on=(notice.notice_request_id,)),
        Check("notice_not_closed", over, "#/decided_on", _decidable(notice, first_day)),
        Check("notice_objection_upheld", not upheld, "#", "公示期间的异议成立,不能作出此项决定"),
        Check("notice_outdated", _still_true(facts, notice), "#", _outdated(notice)),
    ]
    if category is not None:
        message = f"公示的类别是“{notice.category}”,与拟认定的类别不一致,请重新公示"
        other = notice.category is not category
        checks.append(Check("notice_for_another_category", not other, "#/category", message))
    return checks


def _still_true(facts: Facts, notice: Announcement) -> bool:
    return (facts.n, facts.division_code) == (notice.n, notice.announced_in)


def _outdated(notice: Announcement) -> str:
    return f"公示后家庭人口或所在村已变更(公示为{notice.n}人),请重新公示"


def _not_announced(notice: Announcement | None) -> str:
    if notice is None:
        return "尚未公示:请先发起公示,期满后再作决定"
    if notice.outcome is NoticeOutcome.REFUSED:
        return f"公示未能张贴({notice.refusal}),请更正后重新发起"
    return "公示已撤回,请重新发起"


def _decidable(notice: Announcement, first_day: date | None) -> str:
    if notice.status is NoticeStatus.OBJECTED:
        return f"公示异议尚待答复,答复后且不早于{first_day}方可作出决定"
    if first_day is None:
        return "公示尚未张贴,张贴期满后方可作出决定"
    return f"公示期未满,最早可于{first_day}作出决定"


def take_back(ruling: Ruling, around: Circumstances) -> list[Check]:
    """A return names the return check it rests on, if one is open (C24)."""
    named, known = ruling.return_check_id, around.return_checks
    listed = "、".join(str(each) for each in known)
    return [
        Check(
            "return_check_unknown",
            named is None or named in known,
            "#/return_check_id",
            "该户没有这项待核查的返贫线索",
        ),
        Check(
            "return_check_unnamed",
            named is not None or not known,
            "#/return_check_id",
            f"该户有待核查的返贫线索,须注明所依据的一项:{listed}",
            rests_on=(named,) if named else (),
        ),
    ]


def tracked(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    """The months of tracking after the lift are over, and no sign of risk is unanswered (C23).

    Example: lifted on 2026-06-01 with twelve months: from 2027-06-01 on, unless a return check is
    open (``return_check_open``).
    """
    key = tracking_key(facts.category)
    risk = Check("return_check_open", not around.return_checks, "#", "返贫线索尚未核查,不能销号")
    if around.tracking_months is None:
        message = f"缺少已批准的参数{key},不能确定跟踪期"
        return [Check("parameter_missing", holds=False, where=key, message=message), risk]
    lifted_on = facts.episodes[-1].lifted_on or ruling.decided_on
    over = clock.add_months(lifted_on, int(around.tracking_months))
    return [
        Check(
            "tracking_not_over",
            ruling.decided_on >= over,
            "#/decided_on",
            f"跟踪期到{over}为止,期满方可销号",
        ),
        risk,
    ]


def close(ruling: Ruling, around: Circumstances) -> list[Check]:
    """Why nobody is left, and no earlier than anything that is known of the household."""
    refused = ruling.move is Move.REFUSE
    return [
        Check("ground_missing", refused or ruling.ground is not None, "#/ground", "须说明终止原因"),
        Check(
            "later_facts_exist",
            ruling.decided_on >= around.newest_entry,
            "#/decided_on",
            f"档案在{around.newest_entry}还有变更,终止日期不能更早",
        ),
    ]
