"""What may be entered: households to be opened and people to be taken in (GB 11643, C2).

Pure. Faults carry a stable code, the place in the body, and a Chinese sentence for the officer.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.registry.households.facts import Facts, HouseholdEntry, MemberEntry
from services.registry.households.rules import disability_faults, fact_faults, fault, tidy
from shared import identity
from shared.contracts.registry import Member, Relation, Sex
from shared.errors import Fault

_PHONE = re.compile(r"\+?[0-9][0-9-]{6,19}")
_ACCOUNT = re.compile(r"[0-9]{8,30}")
_NEWBORN_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A member entry whose person is known by number (or by birth, for a newborn)."""

    entry: MemberEntry
    number: str | None
    sex: Sex
    birth_date: date


def entry_faults(entry: HouseholdEntry, *, identified: bool, on: date) -> list[Fault]:
    """All that is wrong with a household to be opened on a day, but for who its people are.

    An identified household needs its category (C2: one of five); a file without one may be opened
    for anybody (C18).
    """
    faults = []
    if identified and entry.category is None:
        faults.append(fault("category", "category_missing", "认定须确定困难类别"))
    heads = sum(member.relation is Relation.HEAD for member in entry.members)
    if heads != 1:
        code = "head_missing" if heads == 0 else "head_twice"
        faults.append(fault("members", code, f"每户应有且只有一名户主,现有{heads}名"))
    if not any(member.counted for member in entry.members):
        faults.append(fault("members", "nobody_counts", "家庭没有计入人口的成员"))
    faults += fact_faults(
        {
            "division_code": entry.division_code,
            "causes": entry.causes,
            "incomes": entry.incomes,
            "rigid_expenses": entry.rigid_expenses,
            "assets": entry.assets,
        }
    )
    faults += contact_faults(entry.phone, entry.account)
    return faults + _numbers_twice(entry.members, on)


def contact_faults(phone: str | None, account: str | None, where: str = "") -> list[Fault]:
    """A phone or an account that cannot be one; neither is quoted in the message."""
    faults = []
    if phone and not _PHONE.fullmatch(identity.normalise_code(phone)):
        faults.append(fault(f"{where}phone", "phone_invalid", "电话号码格式不正确"))
    if account and not _ACCOUNT.fullmatch(identity.normalise_code(account)):
        faults.append(fault(f"{where}account", "account_invalid", "银行账号应为8至30位数字"))
    return faults


def identify_member(
    entry: MemberEntry, *, on: date, where: str
) -> tuple[Identified | None, list[Fault]]:
    """Who an entry means: its ID number decides sex and birth date (GB 11643).

    Without a number only a child of under 12 months may be entered, with sex and birth date.
    """
    faults = contact_faults(entry.phone, None, f"{where}/")
    if not entry.name.strip():
        faults.append(fault(f"{where}/name", "name_missing", "缺少姓名"))
    faults += disability_faults(entry.disability, where)
    if not entry.id_number:
        return _newborn(entry, on, where, faults)
    try:
        number = identity.parse_id_number(entry.id_number, on=on)
    except identity.InvalidIdNumberError as wrong:
        return None, [*faults, fault(f"{where}/id_number", wrong.code, wrong.message_zh)]
    if faults:
        return None, faults
    known = Identified(
        entry=entry, number=number.number, sex=Sex(number.sex), birth_date=number.birth_date
    )
    return known, []


def member_facts(person_id: UUID, known: Identified) -> Member:
    """The published facts of a member entry; its name, number and phone stay behind."""
    entry = known.entry
    return Member(
        person_id=person_id,
        relation=entry.relation,
        sex=known.sex,
        birth_date=known.birth_date,
        health=entry.health,
        disability=entry.disability,
        labor_ability=entry.labor_ability,
        willing_to_work=entry.willing_to_work,
        education=entry.education,
        school_stage=entry.school_stage,
        work=entry.work,
        insured=entry.insured,
        left_behind=entry.left_behind,
        counted=entry.counted,
    )


def opened(entry: HouseholdEntry, members: Sequence[Member]) -> Facts:
    """The first facts of a file, accepted and not yet identified."""
    head = next(member for member in members if member.relation is Relation.HEAD)
    return tidy(
        Facts(
            category=entry.category,
            tags=entry.tags,
            causes=entry.causes,
            division_code=entry.division_code,
            head_person_id=head.person_id,
            incomes=entry.incomes,
            rigid_expenses=entry.rigid_expenses,
            assets=entry.assets,
            house_grade=entry.house_grade,
            keep_policy_until=entry.keep_policy_until,
            members=tuple(members),
        )
    )


def _newborn(
    entry: MemberEntry, on: date, where: str, faults: list[Fault]
) -> tuple[Identified | None, list[Fault]]:
    born = entry.birth_date
    if entry.sex is None or born is None or born > on or _months(born, on) >= _NEWBORN_MONTHS:
        faults.append(
            fault(
                f"{where}/id_number",
                "id_number_missing",
                "缺少身份证号码(不满12个月的婴儿可只填性别和出生日期)",
            )
        )
    if faults or entry.sex is None or born is None:
        return None, faults
    return Identified(entry=entry, number=None, sex=entry.sex, birth_date=born), []


def _months(born: date, on: date) -> int:
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def _numbers_twice(members: Sequence[MemberEntry], on: date) -> list[Fault]:
    numbers = Counter(
        known.number
        for member in members
        if (known := identify_member(member, on=on, where="")[0]) and known.number
    )
    if any(count > 1 for count in numbers.values()):
        return [fault("members", "member_twice", "同一身份证号码在本户中出现多次")]
    return []
