"""Who is a person in special hardship (特困人员, R24): three conditions, all of them. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.means import keys
from services.registry.means.assets import Held, look_at
from services.registry.means.facts import Case, Item, MeansParameters, Person, Reason, Step, Used
from services.registry.means.income import is_exempt
from services.registry.means.members import ADULT, OLD, YOUNG, age_on
from services.registry.means.support import support_payment
from shared.contracts.registry import Disability, DisabilityKind, RuleSet, SchoolStage
from shared.money import ZERO, yuan

_MIND = frozenset({DisabilityKind.INTELLECTUAL, DisabilityKind.MENTAL})
_LEFT_OUT = frozenset({Item.BASIC_PENSION, Item.VETERAN_PENSION, Item.OLD_AGE_ALLOWANCE})
"""Of a tekun person's own income these are not asked for [TK 6]."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What speaks against each person who asks to be tekun, what is in doubt, and the steps."""

    against: dict[UUID, tuple[Reason, ...]]
    doubts: tuple[Reason, ...]
    steps: tuple[Step, ...]


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
    who: Person, case: Case, rule_set: RuleSet, on: date, *, income: Decimal, line: Decimal
) -> tuple[Reason, ...]:
    """Why this person is not tekun but for assets, with ``income`` a month (R24, [TK 4]).

    A minor who chose the orphans' support is not [TK 9].
    """
    able = any(one.unable is None for one in case.obligors if who.person_id in one.supports)
    tests = {
        "orphan_support": (not who.orphan_support, "已选择孤儿基本生活保障"),
        "has_labor": (without_labor(who, rule_set, on), "不属于无劳动能力的情形"),
        "has_income": (income < line, "本人月收入不低于低保标准"),
        "has_obligor": (not able, "法定义务人有履行义务的能力"),
    }
    return tuple(
        Reason(code=code, sentence=sentence)
        for code, (holds, sentence) in tests.items()
        if not holds
    )


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


def look(case: Case, parameters: MeansParameters, rule_set: RuleSet, on: date) -> Looked:
    """What speaks against each person who applies as tekun or is it already (R24)."""
    asking = [who for who in case.members if who.applies_as_tekun or who.is_tekun]
    if not asking:
        return Looked({}, (), ())
    line = parameters[keys.DIBAO_LINE]
    held = look_at(case.assets, parameters, n=len(case.members), multiple=keys.MONEY_DIBAO)
    assets = (Reason(code="has_assets", sentence="财产超过规定"),) if held.hits else ()
    against, steps = {}, []
    for who in asking:
        income = own_income(who, case, parameters, on)
        reasons = reasons_against(who, case, rule_set, on, income=income, line=line.value)
        against[who.person_id] = (*reasons, *assets)
        age = age_on(who.birth_date, on)
        steps.append(_step(age, income, line, held, against[who.person_id]))
    return Looked(against, held.doubts, (*steps, held.step))


def _step(age: int, income: Decimal, line: Used, held: Held, reasons: tuple[Reason, ...]) -> Step:
    if reasons:
        verdict = "不符合：" + "；".join(reason.sentence for reason in reasons)
    else:
        verdict = "无劳动能力、无生活来源、无履行义务能力的法定义务人，三项均符合"
    return Step(
        code="tekun",
        title="特困人员认定",
        words=f"{age}周岁；本人月收入{income}元，须低于{yuan(line.value)}元；{verdict}",
        numbers={
            "age": Decimal(age),
            "own_income": income,
            "line": line.value,
            "money": held.step.numbers["money"],
        },
        source="TK 第4条",
        used=(line,),
    )
