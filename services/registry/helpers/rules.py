"""Who may help whom (C51, C52, R35): by category, one lead, a load, no relatives. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from shared.contracts.registry import Category, State
from shared.errors import Fault

MAX_HOUSEHOLDS = "helpers.max_households"
"""The parameter with the most households that one helper may have."""
HANDOVER_WORKING_DAYS = "helpers.handover_working_days"
"""The parameter with the working days within which a household is handed over."""


class HelperKind(StrEnum):
    """Where a helper serves: cadres of township and village, staff of the three sorts of units."""

    TOWNSHIP_CADRE = "township_cadre"
    VILLAGE_CADRE = "village_cadre"
    ORGAN = "organ"
    INSTITUTION = "institution"
    STATE_ENTERPRISE = "state_enterprise"


class PairingFlag(StrEnum):
    """Why a pairing is not what R35 asks for."""

    CADRE_ALONE = "cadre_alone"
    UNIT_STAFF_MISPLACED = "unit_staff_misplaced"


CADRES = frozenset({HelperKind.TOWNSHIP_CADRE, HelperKind.VILLAGE_CADRE})
OF_CADRES = frozenset({Category.TEKUN, Category.DIBAO, Category.DIBAO_MARGINAL})
"""The categories whose helpers are cadres (C51); the other two have staff of units (C52)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An official put on the register of helpers."""

    division_code: str
    officer_id: str
    name: str
    kind: HelperKind
    unit: str
    started_on: date
    phone: str | None = None
    unit_uscc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """That a helper be paired with a household; ``related``: declared to be relatives."""

    household_id: UUID
    helper_id: UUID
    lead: bool
    paired_on: date
    related: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The helper as he stands: how many he has, whether he serves there, who says relatives."""

    started_on: date
    serves_there: bool
    registered_relative: bool
    load: int
    most: Decimal | None


def is_helped(state: State) -> bool:
    """Whether a household in this state has helpers: on assistance, or lifted and tracked."""
    return state.on_assistance or state is State.LIFTED


def categories_of(facts: Facts) -> frozenset[Category]:
    """The primary category and the tags: a helper who fits one of them fits."""
    return frozenset({*([facts.category] if facts.category else []), *facts.tags})


def fits(kind: HelperKind, category: Category) -> bool:
    """Whether R35 pairs this sort of helper with the category.

    Example: a village cadre fits dibao and not the 4600 group; organ staff the other way round.
    """
    return (kind in CADRES) == (category in OF_CADRES)


def flags(
    categories: Collection[Category], helpers: Mapping[UUID, HelperKind]
) -> dict[UUID, PairingFlag]:
    """The helpers of one household who should not be paired with it, or not alone.

    ``categories``: the primary one and the tags; a helper who fits one of them fits.

    Example: a village cadre alone at a 4600 household is flagged; beside staff of an institution he
    is not. Staff of an organ at a dibao household are flagged in any case. No category: none.
    """
    if not categories:
        return {}
    fitting = {kind for kind in helpers.values() if any(fits(kind, each) for each in categories)}
    found = {}
    for helper_id, kind in helpers.items():
        if kind in fitting:
            continue
        if kind not in CADRES:
            found[helper_id] = PairingFlag.UNIT_STAFF_MISPLACED
        elif not fitting:
            found[helper_id] = PairingFlag.CADRE_ALONE
    return found


def registration_faults(one: Registration, *, officer_id: str | None, today: date) -> list[Fault]:
    """All that speaks against an entry of the register."""
    faults = officer_faults(officer_id)
    faults += day_faults("started_on", one.started_on, today=today)
    for name in ("officer_id", "name", "unit"):
        if not getattr(one, name).strip():
            faults.append(fault(name, "text_missing", "工号、姓名和单位均须填写"))
    return faults


def pairing_faults(
    facts: Facts, wish: Wish, candidate: Candidate, *, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a pairing, but for a lead that is there already.

    Example: with a most of 5, a helper of 4 households takes one more and one of 5 does not.
    """
    faults = officer_faults(officer_id)
    faults += day_faults("paired_on", wish.paired_on, today=today)
    if not is_helped(facts.state):
        faults.append(fault("", "household_not_assisted", "只能与在册或跟踪期家庭结对"))
    if wish.paired_on < candidate.started_on:
        faults.append(fault("paired_on", "before_helper", "不能早于帮扶责任人的登记日期"))
    if wish.related or candidate.registered_relative:
        faults.append(fault("helper_id", "helper_is_relative", "帮扶责任人不得为该户近亲属"))
    if not candidate.serves_there:
        faults.append(fault("helper_id", "helper_elsewhere", "该户不在帮扶责任人的服务地区内"))
    if candidate.most is None:
        message = f"缺少已批准的参数{MAX_HOUSEHOLDS},不能结对"
        faults.append(Fault(MAX_HOUSEHOLDS, "parameter_missing", message))
    elif candidate.load >= candidate.most:
        message = f"帮扶责任人已结对{candidate.load}户,最多{int(candidate.most)}户"
        faults.append(fault("helper_id", "helper_load", message))
    return faults


def ending_faults(
    *,
    field: str,
    on: date,
    since: date,
    reasons: Iterable[str],
    officer_id: str | None,
    today: date,
) -> list[Fault]:
    """All that speaks against an end or a hand-over: not before it began, not tomorrow, signed."""
    faults = officer_faults(officer_id) + day_faults(f"{field}", on, today=today)
    if on < since:
        faults.append(fault(field, "before_beginning", "不能早于开始日期"))
    if not all(reason.strip() for reason in reasons):
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults
