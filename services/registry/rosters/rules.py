"""What is decided about one household of a roster, and about people who stand in it twice.

The unit of refusal is the household: one fault that rejects refuses it whole, and every fault is
listed with its cell. Plausibility only warns. Policy C2 (category), R3 (incomes by kind; a business
loss is accepted and counts as 0 where income is added up), section 9 (never by name only).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial

from services.registry.rosters import cells, plausibility
from services.registry.rosters.columns import CATEGORIES, CAUSES, HOUSE_GRADES, Severity
from services.registry.rosters.facts import (
    Finding,
    Judged,
    RosterHousehold,
    RosterMember,
)
from services.registry.rosters.findings import Reader
from services.registry.rosters.member_rules import LONGEST_NAME, read_member
from services.registry.rosters.placing import Gazetteer, Place
from services.registry.rosters.sheet import Addresses, Row
from shared.contracts.registry import (
    Assets,
    Category,
    Cause,
    HouseGrade,
    Incomes,
    Relation,
    RigidExpenses,
)

LONGEST_NUMBER = 40
MOST_VEHICLES = 100


def judge(
    layout: Addresses,
    rows: Sequence[Row],
    gazetteer: Gazetteer,
    divisions: Sequence[str],
    *,
    on: date,
) -> Judged:
    """One household of the sheet, judged by itself on the day ``on``.

    ``divisions`` are the code prefixes of the caller: a household outside them is refused.
    Example: wages of -100 in S317 refuse the household with ``number_negative``; -2,600 in T515 is
    a business loss and stays.
    """
    reader = Reader(layout, rows)
    place = _place(reader, gazetteer, divisions)
    read = [read_member(reader, row, on=on) for row in rows]
    head_name = reader.of_household("head_name", cells.name) or ""
    members = [member for member in read if member is not None]
    if len(members) == len(rows):  # otherwise a row that cannot be read has refused it already
        members = _with_one_head(reader, members, head_name)
    _same_person_twice(reader, members)
    household = _household(reader, place.code, members)
    _count(reader, len(rows))
    _remark(reader)
    if not reader.rejected:
        plausibility.look(reader, household, on=on)
    return Judged(
        first_row=rows[0].number,
        last_row=rows[-1].number,
        serial=cells.serial(rows[0].cells["serial"]),
        head_name=(head_name or next((member.name for member in members), ""))[:LONGEST_NAME],
        place=place.code,
        facts=None if reader.rejected else household,
        findings=tuple(reader.found),
        persons=tuple((member.id_number, member.row) for member in members),
        people=len(rows),
    )


def settle_people_standing_twice(layout: Addresses, judged: Iterable[Judged]) -> list[Judged]:
    """Who stands in two households belongs to the first acceptable one, which is warned.

    The later ones are refused. Acceptable is a household that nothing else refuses: where the first
    is itself refused (for a bad number, say), the second keeps the person.
    Example: household 968 holds a person of household 369: 369 is accepted with
    ``person_in_later_household``, 968 refused with ``person_in_earlier_household``.
    """
    households = list(judged)
    keeper: dict[str, int] = {}
    standing: dict[str, list[int]] = {}
    for at, household in enumerate(households):
        for number in dict.fromkeys(number for number, _ in household.persons):
            standing.setdefault(number, []).append(at)
        if household.rejected:
            continue
        taken = [(row, keeper[number]) for number, row in household.persons if number in keeper]
        if taken:
            refusals = [_refusal(layout, row, households[first]) for row, first in taken]
            households[at] = household.with_findings(*refusals)
            continue
        keeper.update(dict.fromkeys((number for number, _ in household.persons), at))
    for number, first in keeper.items():
        others = [households[at] for at in standing[number] if at != first]
        if others:
            row = dict(households[first].persons)[number]
            warning = _warning(layout, row, others)
            households[first] = households[first].with_findings(warning)
    return households


def _refusal(layout: Addresses, row: int, keeper: Judged) -> Finding:
    return Finding(
        cell=layout.address("id_number", row),
        code="person_in_earlier_household",
        message=f"公民身份号码：此人已在{_called(keeper)}中，一人只能在一户",
        severity=Severity.REJECT,
    )


def _warning(layout: Addresses, row: int, others: Sequence[Judged]) -> Finding:
    return Finding(
        cell=layout.address("id_number", row),
        code="person_in_later_household",
        message=f"公民身份号码：此人同时出现在{'、'.join(map(_called, others))}中，请核实",
        severity=Severity.WARN,
    )


def _called(household: Judged) -> str:
    """How a finding names another household: by its place in the sheet, never by its people."""
    if household.first_row is None:
        return "家庭查询中没有的另一户"
    serial = f"序号 {household.serial}，" if household.serial else ""
    return f"另一户（{serial}第 {household.first_row} 行）"


def _place(reader: Reader, gazetteer: Gazetteer, divisions: Sequence[str]) -> Place:
    township = reader.of_household("township", cells.words) or ""
    village = reader.of_household("village", cells.words) or ""
    place = gazetteer.place(township, village)
    if place.fault:
        key, code, message = place.fault
        reader.reject(key, reader.row_of(key), code, message)
    elif not place.code.startswith(tuple(divisions)):
        key = "village"
        reader.reject(key, reader.row_of(key), "outside_your_divisions", "不在您的管辖区域内")
    return place


def _with_one_head(
    reader: Reader, members: Sequence[RosterMember], named: str
) -> list[RosterMember]:
    """The members with exactly one head among them, or a finding why there is none.

    No row says 户主: the one member whom 户主姓名 names is the head, with a warning.
    """
    heads = [member for member in members if member.relation is Relation.HEAD]
    if len(heads) > 1:
        row = reader.rows[members.index(heads[1])]
        reader.reject("relation", row, "two_heads", "一户只能有一个户主")
        return list(members)
    if heads:
        if named and heads[0].name != named:
            row = reader.row_of("head_name")
            reader.warn("head_name", row, "head_name_differs", "与户主行的姓名不符，以户主行为准")
        return list(members)
    return _head_by_name(reader, members, named)


def _head_by_name(
    reader: Reader, members: Sequence[RosterMember], named: str
) -> list[RosterMember]:
    meant = [at for at, member in enumerate(members) if member.name == named]
    if len(meant) != 1:
        message = "没有户主行，也无法按户主姓名确定"
        reader.reject("relation", reader.rows[0], "head_missing", message)
        return list(members)
    row = reader.rows[meant[0]]
    reader.warn("relation", row, "head_by_name", "没有户主行，按户主姓名将此人记为户主")
    return [
        member.model_copy(update={"relation": Relation.HEAD}) if at == meant[0] else member
        for at, member in enumerate(members)
    ]


def _same_person_twice(reader: Reader, members: Sequence[RosterMember]) -> None:
    rows = {row.number: row for row in reader.rows}
    seen: dict[str, int] = {}
    for member in members:
        if member.id_number in seen:
            row = rows[member.row]
            message = f"与本户第 {seen[member.id_number]} 行的号码相同"
            reader.reject("id_number", row, "person_twice_in_household", message)
        seen.setdefault(member.id_number, member.row)


def _household(
    reader: Reader, division_code: str, members: Sequence[RosterMember]
) -> RosterHousehold:
    return RosterHousehold(
        division_code=division_code,
        category=_category(reader) or Category.DIBAO,  # a missing one has refused the household
        causes=_causes(reader),
        incomes=Incomes(
            wage=reader.money("wage"),
            business=reader.money("business", may_be_negative=True),
            property=reader.money("property"),
            transfer=reader.money("transfer"),
        ),
        rigid_expenses=RigidExpenses(
            medical=reader.money("medical"),
            education=reader.money("schooling"),
            disability=reader.money("rehabilitation"),
            other=reader.money("other"),
        ),
        assets=Assets(financial=reader.money("financial"), vehicles=_vehicles(reader)),
        house_grade=_house_grade(reader),
        phone=_number(reader, "phone", "phone_lost_digits"),
        account=_number(reader, "account", "account_lost_digits"),
        members=tuple(members),
    )


def _category(reader: Reader) -> Category | None:
    known = len(reader.found)
    category = reader.of_household("category", partial(cells.code, meanings=CATEGORIES))
    if category is None and len(reader.found) == known:
        reader.reject("category", reader.row_of("category"), "category_missing", "未填写")
    return category


def _causes(reader: Reader) -> tuple[Cause, ...]:
    return reader.of_household("causes", partial(cells.codes, meanings=CAUSES)) or ()


def _house_grade(reader: Reader) -> HouseGrade | None:
    return reader.of_household("house_grade", partial(cells.code, meanings=HOUSE_GRADES))


def _vehicles(reader: Reader) -> int:
    vehicles = reader.of_household("vehicles", cells.whole) or 0
    if vehicles < 0:
        reader.reject("vehicles", reader.row_of("vehicles"), "number_negative", "不能为负数")
    if vehicles > MOST_VEHICLES:
        reader.reject("vehicles", reader.row_of("vehicles"), "number_too_large", "数值过大")
    return vehicles


def _number(reader: Reader, key: str, code_if_lost: str) -> str | None:
    """A phone or account, kept as written but for its spaces and full-width digits."""
    text = reader.of_household(key, partial(cells.digits, code_if_lost=code_if_lost))
    number = cells.words(text or "")
    if len(number) > LONGEST_NUMBER:
        reader.reject(key, reader.row_of(key), "number_too_long", "过长，请核对")
        return None
    return number or None


def _count(reader: Reader, listed: int) -> None:
    """家庭人口数 is compared and not believed: the members listed decide."""
    count = reader.of_household("count", cells.whole)
    if count is not None and count != listed:
        row = reader.row_of("count")
        message = f"填 {count} 人，实列 {listed} 人，以所列成员为准"
        reader.warn("count", row, "count_differs", message)


def _remark(reader: Reader) -> None:
    """Remarks often carry facts (section 9); nothing is read out of free text, so it is said."""
    row = reader.row_of("remark")
    if not row.blank("remark"):
        reader.note("remark", row, "remark_not_kept", "备注不录入登记册，其中的事实请另行登记")
