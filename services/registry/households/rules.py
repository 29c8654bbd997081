"""What may be filed of a household and what a change makes of it (C2, policy sections 2, 5, 7).

Pure: facts, entries and dates in; new facts or a list of every fault out. Faults carry a stable
code, the place, and a Chinese sentence for the officer.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.registry.households.facts import (
    AMOUNTS,
    DECIDED_FACTS,
    Facts,
    HouseholdChange,
)
from services.registry.households.history import Entry, Timeline, arranged
from shared import money
from shared.contracts.registry import (
    Assets,
    Category,
    Disability,
    Episode,
    Incomes,
    Member,
    Relation,
    RigidExpenses,
    RuleSet,
    State,
)
from shared.errors import Fault

_VILLAGE = re.compile(r"[1-9][0-9]{11}")
_TOO_MUCH = Decimal(10) ** 12
_MOST_CAUSES = 5
_MOST_VEHICLES = 1_000


def household_no(village: str, serial: int) -> str:
    """The printed number: village of first filing, 5-digit serial, check digit (section 7).

    The check digit is ISO 7064 MOD 11,10 and finds every single wrong digit. Example: the first
    file of 331124101201 is 331124101201000011. Raises ValueError past serial 99999.
    """
    if not 0 < serial < 100_000:
        raise ValueError(f"the village {village} has no household number left")
    digits = f"{village}{serial:05d}"
    product = 10
    for digit in digits:
        product = ((int(digit) + product - 1) % 10 + 1) * 2 % 11
    return f"{digits}{(11 - product) % 10}"


def fact_faults(facts: Mapping[str, Any]) -> list[Fault]:
    """All that is wrong with new household facts. Only the business income may be negative."""
    faults: list[Fault] = []
    if len(facts.get("causes") or ()) > _MOST_CAUSES:
        faults.append(fault("causes", "too_many_causes", "致贫原因最多填写5项"))
    for name, losses in (("incomes", {"business"}), ("rigid_expenses", set()), ("assets", set())):
        if (values := facts.get(name)) is not None:
            faults += _amount_faults(name, dict(values), losses)
    division = facts.get("division_code")
    if division is not None and not _VILLAGE.fullmatch(division):
        faults.append(fault("division_code", "division_not_a_village", "应填写12位行政村代码"))
    return faults


def disability_faults(disability: Disability | None, where: str) -> list[Fault]:
    """Grades on the disability card run from 1 (severest) to 4."""
    if disability is None or 1 <= disability.grade <= 4:
        return []
    return [fault(f"{where}/disability", "disability_grade", "残疾等级应为1至4级")]


def beginning(on: date, facts: Facts) -> Timeline:
    """The timeline of a file that opens with these facts."""
    return (Entry(on, facts),)


def identified(facts: Facts, *, on: date, origin: str, state: State = State.IDENTIFIED) -> Facts:
    """Facts once a household is identified (or returned): the next episode of the same file.

    Example: a file with one episode that returns on 2026-05-04 has episode 2 from that day, rule
    set CN2025, and keeps nothing of an earlier ``keep_policy_until``.
    """
    number = len(facts.episodes) + 1
    return facts.model_copy(
        update={
            "state": state,
            "rule_set": RuleSet.on(on),
            "keep_policy_until": None if number > 1 else facts.keep_policy_until,
            "episodes": (
                *facts.episodes,
                Episode(number=number, origin=origin, identified_on=on),
            ),
        }
    )


def day_faults(where: str, day: date, *, today: date) -> list[Fault]:
    """Nothing is decided or opened on a day that has not come."""
    return [fault(where, "date_in_future", "日期不能晚于今天")] if day > today else []


def officer_faults(officer_id: str | None) -> list[Fault]:
    """A decision is signed by a person: the token must name the officer."""
    return [] if officer_id else [fault("", "officer_missing", "决定须由具名经办人作出")]


def is_decision(facts: Facts, change: HouseholdChange) -> bool:
    """Whether a change is a decision: category, tags or kept policy of a file once identified."""
    if not facts.episodes:
        return False
    asked = {name: value for name, value in change.facts.items() if name in DECIDED_FACTS}
    if not asked:
        return False
    return tidy(facts.model_copy(update=asked)) != facts


def revised(
    facts: Facts, change: HouseholdChange, joining: Sequence[Member]
) -> tuple[Facts, list[Fault]]:
    """What a change makes of the facts of its day, and all that speaks against it.

    Example: the head dies and ``head_person_id`` names the widow: she becomes head, the others keep
    their relation, n falls by one, and the file stays the same one (policy section 5).
    """
    faults = [*fact_faults(change.facts), *_membership_faults(facts, change, joining)]
    if faults:
        return facts, faults
    leaving = {left.person_id for left in change.leave}
    changes = {member.person_id: member.facts for member in change.members}
    members = [
        member.model_copy(update=dict(changes.get(member.person_id, {})))
        for member in facts.members
        if member.person_id not in leaving
    ]
    members += joining
    head = _head(facts, change, joining)
    new = tidy(
        facts.model_copy(
            update={
                **_completed(facts, change.facts),
                "members": tuple(members),
                "head_person_id": head,
            }
        )
    )
    return new, standing_faults(new)


def _completed(facts: Facts, named: Mapping[str, Any]) -> dict[str, Any]:
    """The named facts whole: of incomes and the like, an amount that is not named stays."""
    return {
        name: getattr(facts, name).model_copy(update=value)
        if name in AMOUNTS and isinstance(value, Mapping)
        else value
        for name, value in named.items()
    }


def reclassified(facts: Facts, new: Facts, *, on: date) -> Facts:
    """A new category is decided under the law of its day; kept policies alone change no law."""
    if new.category == facts.category:
        return new
    return new.model_copy(update={"rule_set": RuleSet.on(on)})


def standing_faults(facts: Facts) -> list[Fault]:
    """What no open file may be: without its head, or with nobody who counts."""
    if facts.state is State.CLOSED:
        return []
    faults = []
    if facts.member(facts.head_person_id) is None:
        faults.append(fault("head_person_id", "head_missing", "户主离开时须指定新的户主"))
    if facts.n < 1:
        faults.append(
            fault("members", "nobody_counts", "家庭没有计入人口的成员,全户亡故或迁出请办理终止")
        )
    if facts.episodes and facts.category is None:
        faults.append(fault("category", "category_missing", "已认定的家庭须有困难类别"))
    return faults


def valid_from_faults(valid_from: date, *, opened_on: date, today: date) -> list[Fault]:
    """Facts are known, not foretold: from the opening of the file up to today."""
    if valid_from > today:
        return [fault("valid_from", "date_in_future", "生效日期不能晚于今天")]
    if valid_from < opened_on:
        return [fault("valid_from", "before_opening", "生效日期不能早于建档日期")]
    return []


def tidy(facts: Facts) -> Facts:
    """Facts in their one form: money with 2 places, tags in order, no twins."""
    tags = {*facts.tags} - {facts.category}
    return arranged(
        facts.model_copy(
            update={
                "tags": tuple(tag for tag in Category if tag in tags),
                "causes": tuple(dict.fromkeys(facts.causes)),
                "incomes": Incomes(**_in_yuan(facts.incomes)),
                "rigid_expenses": RigidExpenses(**_in_yuan(facts.rigid_expenses)),
                "assets": Assets(
                    financial=money.yuan(facts.assets.financial), vehicles=facts.assets.vehicles
                ),
            }
        )
    )


def _in_yuan(amounts: Incomes | RigidExpenses) -> dict[str, Decimal]:
    return {name: money.yuan(amount) for name, amount in amounts}


def _head(facts: Facts, change: HouseholdChange, joining: Sequence[Member]) -> UUID:
    if change.head_person_id is not None:
        return change.head_person_id
    named = [member.person_id for member in joining if member.relation is Relation.HEAD]
    named += [
        member.person_id
        for member in change.members
        if member.facts.get("relation") is Relation.HEAD
    ]
    return named[0] if named else facts.head_person_id


def _membership_faults(
    facts: Facts, change: HouseholdChange, joining: Sequence[Member]
) -> list[Fault]:
    faults = []
    for at, member in enumerate(change.members):
        faults += _absent(facts, member.person_id, f"members/{at}")
        faults += disability_faults(member.facts.get("disability"), f"members/{at}")
    for at, left in enumerate(change.leave):
        faults += _absent(facts, left.person_id, f"leave/{at}")
    for at, joined in enumerate(joining):
        if facts.member(joined.person_id):
            faults.append(fault(f"join/{at}", "member_already_there", "该成员已在本户"))
    twice = Counter(left.person_id for left in change.leave)
    twice.update(member.person_id for member in change.members)
    twice.update(member.person_id for member in joining)
    if any(count > 1 for count in twice.values()):
        faults.append(fault("members", "member_twice", "同一成员在一次变更中出现多次"))
    return faults


def _absent(facts: Facts, person_id: UUID, where: str) -> list[Fault]:
    if facts.member(person_id):
        return []
    return [fault(where, "member_unknown", "该成员在生效日期不在本户")]


def _amount_faults(name: str, values: Mapping[str, Any], losses: Iterable[str]) -> list[Fault]:
    faults = []
    for kind, value in values.items():
        where = f"{name}/{kind}"
        if value < 0 and kind not in losses:
            faults.append(fault(where, "amount_negative", "金额或数量不能为负"))
        if not abs(value) < (_MOST_VEHICLES if kind == "vehicles" else _TOO_MUCH):
            faults.append(fault(where, "amount_too_large", "金额超出范围"))
    return faults


def fault(where: str, code: str, message: str) -> Fault:
    """A fault at a place of the body, written without its leading ``#/``."""
    return Fault(f"#/{where}", code, message)
