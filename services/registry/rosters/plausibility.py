"""What looks odd about a household that can be read: it only warns, an officer looks (C3, C59).

Thresholds follow the checks of the national anti-return system (policy section 6, PX-FFP): under 16
or at school and yet at work, ages that do not fit a relation or a school stage.
"""

from datetime import date

from services.registry.rosters.facts import RosterHousehold, RosterMember
from services.registry.rosters.findings import Reader
from shared.contracts.registry import Health, LaborAbility, Relation, SchoolStage, Sex, Work

WORKING_FROM = 16
GENERATION = 14
VERY_OLD = 110

_AT_WORK = frozenset(Work) - {Work.UNEMPLOYED, Work.NOT_WORKING}
_ABLE = (LaborAbility.SKILLED, LaborAbility.ORDINARY)
_SEX_OF = {
    Relation.SON: Sex.MALE,
    Relation.DAUGHTER: Sex.FEMALE,
    Relation.FATHER: Sex.MALE,
    Relation.MOTHER: Sex.FEMALE,
}
_STAGE_AGES = {
    SchoolStage.PRESCHOOL: (2, 8),
    SchoolStage.PRIMARY: (5, 15),
    SchoolStage.JUNIOR: (10, 19),
    SchoolStage.SENIOR: (13, 22),
    SchoolStage.VOCATIONAL: (13, 25),
    SchoolStage.JUNIOR_COLLEGE: (16, 40),
    SchoolStage.COLLEGE: (16, 40),
}


def look(reader: Reader, household: RosterHousehold, *, on: date) -> None:
    """Add the warnings about this household, as of the day ``on``.

    Example: a pupil of 9 with 就业状况 务农 gets ``child_at_work`` at that cell.
    """
    head = household.head
    for at, member in enumerate(household.members):
        age = member.age(on)
        _ages(reader, at, member, age)
        _health(reader, at, member)
        if member is not head:
            _relation(reader, at, member, age - head.age(on))


def _ages(reader: Reader, at: int, member: RosterMember, age: int) -> None:
    row = reader.rows[at]
    if age > VERY_OLD:
        reader.warn("id_number", row, "very_old", f"年满 {age} 岁，请核实是否健在")
    if age < WORKING_FROM and member.work in _AT_WORK:
        reader.warn("work", row, "child_at_work", f"未满 {WORKING_FROM} 岁，不应有就业")
    if age < WORKING_FROM and member.labor_ability in _ABLE:
        reader.warn("labor_ability", row, "child_able_to_work", f"未满 {WORKING_FROM} 岁")
    low, high = _STAGE_AGES.get(member.school_stage, (0, age)) if member.school_stage else (0, age)
    if not low <= age <= high:
        reader.warn("school_stage", row, "stage_odd_for_age", f"{age} 岁，与学段不符")


def _health(reader: Reader, at: int, member: RosterMember) -> None:
    row = reader.rows[at]
    if member.health is Health.DISABLED and member.disability is None:
        reader.warn("disability", row, "disability_missing", "健康状况为残疾，未填类别及等级")
    if member.disability is not None and member.health is Health.HEALTHY:
        reader.warn("health", row, "healthy_with_disability", "填有残疾类别，健康状况却为健康")


def _relation(reader: Reader, at: int, member: RosterMember, years_older: int) -> None:
    row = reader.rows[at]
    expected = _SEX_OF.get(member.relation)
    if expected is not None and member.sex is not expected:
        reader.warn("relation", row, "relation_odd_for_sex", "与性别不符")
    too_close = {
        Relation.SON: years_older > -GENERATION,
        Relation.DAUGHTER: years_older > -GENERATION,
        Relation.FATHER: years_older < GENERATION,
        Relation.MOTHER: years_older < GENERATION,
    }
    if too_close.get(member.relation, False):
        reader.warn("relation", row, "relation_odd_for_age", "与户主的年龄差不合常理")
