"""Renovations: which stage may follow which, which method suits which house, who may have one.

C31 (orderly, one stage after the other) and the conditions of R32 (policy section 6). What is
wrong comes back as faults, all of them; an empty list is a yes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.clock import add_months
from shared.contracts.registry import Category, FactPeriod, HouseGrade
from shared.errors import Fault

MONTHS_A_YEAR = 12


class Method(StrEnum):
    """How a house is made safe: 修缮加固, 拆除重建, 易地搬迁."""

    REPAIR = "repair"
    REBUILD = "rebuild"
    RELOCATE = "relocate"


class Stage(StrEnum):
    """The stages in their order; CANCELLED may end any before ACCEPTED."""

    APPLIED = "applied"
    APPRAISED = "appraised"
    PLANNED = "planned"
    AGREED = "agreed"
    STARTED = "started"
    CHECKED = "checked"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    PAID = "paid"
    CANCELLED = "cancelled"


class Party(StrEnum):
    """Who signs an acceptance: household, village, township and the construction bureau."""

    HOUSEHOLD = "household"
    VILLAGE = "village"
    TOWNSHIP = "township"
    CONSTRUCTION = "construction"


ORDER = tuple(stage for stage in Stage if stage is not Stage.CANCELLED)
SUBSIDISED = frozenset({Stage.ACCEPTED, Stage.PAID})
"""The stages in which a renovation has its subsidy and can no longer be cancelled."""

STAGE_NAMES = {
    Stage.APPLIED: "申请",
    Stage.APPRAISED: "鉴定",
    Stage.PLANNED: "列入年度计划",
    Stage.AGREED: "签订协议",
    Stage.STARTED: "开工",
    Stage.CHECKED: "中期检查",
    Stage.COMPLETED: "竣工",
    Stage.ACCEPTED: "竣工验收",
    Stage.PAID: "拨付补助",
    Stage.CANCELLED: "取消",
}
METHOD_NAMES = {
    Method.REPAIR: "修缮加固",
    Method.REBUILD: "拆除重建",
    Method.RELOCATE: "易地搬迁",
}
PARTY_NAMES = {
    Party.HOUSEHOLD: "农户",
    Party.VILLAGE: "村",
    Party.TOWNSHIP: "乡镇",
    Party.CONSTRUCTION: "建设部门",
}
SUITS = {
    Method.REPAIR: HouseGrade.C,
    Method.REBUILD: HouseGrade.D,
    Method.RELOCATE: HouseGrade.D,
}
"""The grade that each method is for (R32): a rebuilding of a C house is not paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """What is handed in with a stage; each stage has its own, the others stay None or empty."""

    stage: Stage
    done_on: date
    note: str | None = None
    appraised_grade: HouseGrade | None = None
    plan_year: int | None = None
    contractor: str | None = None
    actual_cost: Decimal | None = None
    parties: tuple[Party, ...] = ()


NEEDS = {
    Stage.APPRAISED: "appraised_grade",
    Stage.PLANNED: "plan_year",
    Stage.COMPLETED: "actual_cost",
    Stage.ACCEPTED: "parties",
}
"""The fact without which a stage is not done."""

TAKEN_WITH = {
    "appraised_grade": frozenset({Stage.APPRAISED}),
    "plan_year": frozenset({Stage.PLANNED}),
    "contractor": frozenset({Stage.AGREED, Stage.STARTED}),
    "actual_cost": frozenset({Stage.COMPLETED}),
    "parties": frozenset({Stage.ACCEPTED}),
}
"""The stages that each fact belongs to."""


def due_stage(done: Stage) -> Stage | None:
    """The stage that is due after ``done``; None after payment and after cancelling.

    Example: applied -> appraised; accepted -> paid; paid -> None.
    """
    if done in {Stage.PAID, Stage.CANCELLED}:
        return None
    return ORDER[ORDER.index(done) + 1]


def order_fault(done: Stage, asked: Stage) -> Fault | None:
    """Why ``asked`` cannot follow ``done``: a skip or a step back (C31); names the stage due.

    Example: applied and then planned -> ``stage_not_due``, due is appraised.
    """
    due = due_stage(done)
    if asked == due:
        return None
    if due is None:
        message = f"该改造已办结（{STAGE_NAMES[done]}，{done}），没有后续环节"
    else:
        wrong = f"不能办理“{STAGE_NAMES[asked]}”（{asked}）"
        message = f"应办理的环节是“{STAGE_NAMES[due]}”（{due}），{wrong}"
    return Fault("#/stage", "stage_not_due", message)


def date_faults(done_on: date, *, today: date, previous: date | None, where: str) -> list[Fault]:
    """A stage lies neither in the future nor before the one before it; the same day is right."""
    faults = []
    if done_on > today:
        faults.append(Fault(where, "date_in_future", f"日期不能晚于今天（{today}）"))
    if previous is not None and done_on < previous:
        message = f"日期不能早于上一环节的日期（{previous}）"
        faults.append(Fault(where, "date_before_last_stage", message))
    return faults


def stage_faults(given: StageFacts, method: Method) -> list[Fault]:
    """What is missing from a stage's facts, and what does not belong to it.

    Example: accepted without the village's signature -> ``party_missing``; started with
    a cost -> ``not_of_this_stage``; a repair appraised as D -> ``method_not_for_grade``.
    """
    faults = [
        Fault(f"#/{name}", "not_of_this_stage", f"“{STAGE_NAMES[given.stage]}”环节不填此项")
        for name, stages in TAKEN_WITH.items()
        if getattr(given, name) and given.stage not in stages
    ]
    needed = NEEDS.get(given.stage)
    if needed is not None and needed != "parties" and getattr(given, needed) is None:
        message = f"“{STAGE_NAMES[given.stage]}”环节必须填写此项"
        faults.append(Fault(f"#/{needed}", "missing_for_stage", message))
    if given.stage is Stage.ACCEPTED:
        faults += _party_faults(given.parties)
    if given.stage is Stage.APPRAISED and given.appraised_grade is not None:
        faults += method_faults(method, given.appraised_grade, where="#/appraised_grade")
    return faults


def method_faults(method: Method, grade: HouseGrade, *, where: str) -> list[Fault]:
    """Whether a method is for a grade (R32). Example: rebuild and C -> ``method_not_for_grade``."""
    if SUITS[method] is grade:
        return []
    message = (
        f"{METHOD_NAMES[method]}（{method}）适用于{SUITS[method]}级房屋，该房屋为{grade}级；"
        "修缮加固适用于C级，拆除重建和易地搬迁适用于D级"
    )
    return [Fault(where, "method_not_for_grade", message)]


def worsened_faults(method: Method, grade: HouseGrade | None) -> list[Fault]:
    """A repair cannot make a house safe that has become D since; it goes no further.

    Example: repair, and the registry now reports D -> ``house_became_d``; rebuild and C -> nothing.
    """
    if method is Method.REPAIR and grade is HouseGrade.D:
        message = "房屋已定为D级，修缮加固不能解危：请取消本次改造，按D级重新申请"
        return [Fault("#/stage", "house_became_d", message)]
    return []


def category_on(periods: Sequence[FactPeriod], day: date) -> Category | None:
    """The category of a household on assistance on a day; None where it was not.

    Every one of the five categories may have a renovation. Example: dibao since 2026-03-10 and
    lifted on 2026-09-01 -> dibao on 2026-08-31, None on 2026-09-01 and on 2026-03-09.
    """
    begun = [period for period in periods if period.valid_from <= day]
    if not begun:
        return None
    last = max(begun, key=lambda period: period.valid_from)
    return last.category if last.state.on_assistance else None


def again_from(accepted_on: date, years: Decimal) -> date:
    """The first day on which the next renovation may be applied for (R32).

    Example: accepted on 2026-05-04, 10 years -> 2036-05-04.
    """
    return add_months(accepted_on, int(years * MONTHS_A_YEAR))


def _party_faults(parties: Collection[Party]) -> list[Fault]:
    missing = [party for party in Party if party not in parties]
    if not missing:
        return []
    names = "、".join(f"{PARTY_NAMES[party]}（{party}）" for party in missing)
    return [Fault("#/parties", "party_missing", f"验收须四方签字，尚缺：{names}")]
