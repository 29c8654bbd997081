"""Who is a person in special hardship (特困人员, R24): three conditions, all of them. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.means import parameters as keys
from services.registry.means.assets import look_at
from services.registry.means.facts import Case, Item, MeansParameters, Person, Reason, Step
from services.registry.means.income import is_exempt, support_payment
from services.registry.means.members import ADULT, age_on
from shared.contracts.registry import Disability, DisabilityKind, RuleSet, SchoolStage
from shared.money import ZERO, yuan

OLD, YOUNG = 60, 16
_MIND = frozenset({DisabilityKind.INTELLECTUAL, DisabilityKind.MENTAL})
_LEFT_OUT = frozenset({Item.BASIC_PENSION, Item.VETERAN_PENSION, Item.OLD_AGE_ALLOWANCE})
"""Of a tekun person's own income these are not asked for [TK 6]."""


def without_labor(who: Person, rule_set: RuleSet, on: date) -> bool:
    """Whether the law takes somebody to be unable to work [TK 5].

    Example: 60 on the very day, yes; 59, no; under 16, yes; limb grade 2 only since CN2021. A minor
    who has it keeps it to 18, and longer while at school [TK 24].
    """
    age = age_on(who.birth_date, on)
    if age >= OLD or age < YOUNG:
        return True
    at_school = who.school_stage not in {None, SchoolStage.NOT_AT_SCHOOL}
    if who.is_tekun and (age < ADULT or at_school):
        return True
    return who.disability is not None and _card(who.disability, rule_set)


def _card(card: Disability, rule_set: RuleSet) -> bool:
    old_law = rule_set is RuleSet.LS2016
    if card.kind in _MIND:
        return card.grade <= (2 if old_law else 3)
    if card.kind is DisabilityKind.LIMB:
        return card.grade <= (1 if old_law else 2)
    return card.kind is DisabilityKind.SIGHT and card.grade == 1


def reasons_against(
    who: Person, case: Case, parameters: MeansParameters, rule_set: RuleSet, on: date
) -> tuple[Reason, ...]:
    """Why this person is not tekun; nothing where he is (R24, [TK 4]).

    A minor who chose the orphans' support is not [TK 9].
    """
    found = []
    if who.orphan_support:
        found.append(Reason(code="orphan_support", sentence="已选择孤儿基本生活保障"))
    if not without_labor(who, rule_set, on):
        found.append(Reason(code="has_labor", sentence="不属于无劳动能力的情形"))
    if own_income(who, case, parameters, on) >= parameters[keys.DIBAO_LINE].value:
        found.append(Reason(code="has_income", sentence="本人月收入不低于低保标准"))
    held = look_at(case.assets, parameters, n=max(1, len(case.members)), multiple=keys.MONEY_DIBAO)
    if held.hits:
        found.append(Reason(code="has_assets", sentence="财产超过规定"))
    if any(one.unable is None for one in case.obligors if who.person_id in one.supports):
        found.append(Reason(code="has_obligor", sentence="法定义务人有履行义务的能力"))
    return tuple(found)


def own_income(who: Person, case: Case, parameters: MeansParameters, on: date) -> Decimal:
    """A person's own income a month, with what obligors owe, without pensions [TK 6]."""
    window = int(parameters[keys.WINDOW].value)
    own = sum(
        (
            max(ZERO, one.amount)
            for one in case.incomes
            if one.person_id == who.person_id
            and one.item not in _LEFT_OUT
            and not is_exempt(one.item, parameters, on)
        ),
        ZERO,
    )
    line = parameters[keys.DIBAO_LINE].value
    k, rate = parameters[keys.SUPPORT_K].value, parameters[keys.SUPPORT_RATE].value
    owed = [one for one in case.obligors if who.person_id in one.supports]
    support = sum((support_payment(one, line, k=k, rate=rate) for one in owed), ZERO)
    return yuan(own / window + support)


def look(
    case: Case, parameters: MeansParameters, rule_set: RuleSet, on: date
) -> tuple[dict[UUID, tuple[Reason, ...]], Sequence[Step]]:
    """What speaks against each person who applies as tekun or is it already; and the steps."""
    found = {
        who.person_id: reasons_against(who, case, parameters, rule_set, on)
        for who in case.members
        if who.applies_as_tekun or who.is_tekun
    }
    steps = [
        Step(
            code="tekun",
            title="特困人员认定",
            words=_words(reasons),
            numbers={"age": Decimal(age_on(who.birth_date, on))},
            source="TK 第4条",
            used=(parameters[keys.DIBAO_LINE],),
        )
        for who in case.members
        if (reasons := found.get(who.person_id)) is not None
    ]
    return found, steps


def _words(reasons: tuple[Reason, ...]) -> str:
    if not reasons:
        return "无劳动能力、无生活来源、无履行义务能力的法定义务人，三项均符合"
    return "不符合：" + "；".join(reason.sentence for reason in reasons)
