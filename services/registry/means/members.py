"""Who belongs to the household that is reckoned (R1), and who may apply apart (R2). Pure."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from services.registry.means.facts import Absence, Case, Counted, Person, Reason
from shared.contracts.registry import DisabilityKind, LaborAbility, Relation, RuleSet, SchoolStage

ADULT = 18
OLD, YOUNG = 60, 16
"""Whoever is as old as this, or younger than that, is taken to be unable to work [TK 5]."""
_CHILDREN = frozenset({Relation.SON, Relation.DAUGHTER})
_PARENTS = frozenset({Relation.FATHER, Relation.MOTHER})
_STUDY = frozenset(
    {SchoolStage.SENIOR, SchoolStage.VOCATIONAL, SchoolStage.JUNIOR_COLLEGE, SchoolStage.COLLEGE}
)
_SEVERE = 2
_NO_LABOR = frozenset({LaborAbility.LOST, LaborAbility.NONE})
_MIND = frozenset({DisabilityKind.INTELLECTUAL, DisabilityKind.MENTAL})

_ABSENT = {
    Absence.CLERGY: "宗教教职人员离家三年以上，不计入",
    Absence.PRISON: "正在服刑，不计入",
    Absence.DETOX: "正在强制隔离戒毒，不计入",
    Absence.MISSING: "已被宣告失踪，不计入",
    Absence.NOT_COUNTED: "档案记为不计入家庭人口",
}
_LATER_ONLY = frozenset({Absence.DETOX, Absence.MISSING})
"""Absences that only CN2021 and after know."""
_APART_ALL_THE_SAME = frozenset({Absence.CLERGY, Absence.NOT_COUNTED})
"""Who does not count with the family for these may still apply apart from it (R2)."""


def age_on(birth_date: date, day: date) -> int:
    """Full years lived on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def able_to_work(who: Person, on: date) -> bool:
    """Whether somebody may be taken to earn by work (R7, R28); ability unknown counts as able.

    Example: 16 on the very day, yes; 60, no; at college or with ability lost, no; weak, yes.
    """
    of_age = YOUNG <= age_on(who.birth_date, on) < OLD
    at_school = who.school_stage not in {None, SchoolStage.NOT_AT_SCHOOL}
    return of_age and not at_school and who.labor_ability not in _NO_LABOR


def counted_members(
    case: Case, rule_set: RuleSet, on: date, *, tekun: Collection[UUID] = ()
) -> tuple[Counted, ...]:
    """Whether each of the family counts into n, with the reason (R1).

    Example: a son in prison does not; a daughter of 21 at college does; one who takes a master's
    degree does not. Who is tekun leaves n (golden case).
    """
    found = []
    for who in case.members:
        counts, code, words = _why(who, case, rule_set, on, tekun=who.person_id in tekun)
        reason = Reason(code=code, sentence=words)
        found.append(Counted(person_id=who.person_id, counts=counts, reason=reason))
    return tuple(found)


def _why(
    who: Person, case: Case, rule_set: RuleSet, on: date, *, tekun: bool
) -> tuple[bool, str, str]:
    absence = who.absence
    if case.separate and absence in _APART_ALL_THE_SAME:
        absence = None
    if absence and not (rule_set is RuleSet.LS2016 and absence in _LATER_ONLY):
        return False, absence.value, _ABSENT[absence]
    if tekun:
        return False, "tekun_apart", "特困人员单独保障，不计入家庭人口"
    if case.separate:
        return True, "applicant", "单独提出申请的本人"
    return _kin(who, rule_set, on)


def _kin(who: Person, rule_set: RuleSet, on: date) -> tuple[bool, str, str]:
    if who.relation in {Relation.HEAD, Relation.SPOUSE}:
        return True, "core", "申请人或配偶"
    if who.relation in _CHILDREN:
        return _child(who, on)
    if who.relation in _PARENTS and rule_set is RuleSet.LS2016:
        return True, "parent", "父母"
    if who.supports:
        return True, "supported", "有法定赡养、抚养、扶养义务且长期共同生活"
    return False, "no_support_duty", "没有法定赡养、抚养、扶养义务或未长期共同生活，不计入"


def _child(who: Person, on: date) -> tuple[bool, str, str]:
    if age_on(who.birth_date, on) < ADULT:
        return True, "minor_child", "未成年子女"
    if who.postgraduate:
        return False, "postgraduate", "成年子女就读研究生，不计入"
    if who.school_stage in _STUDY:
        return True, "student", "成年子女接受本科及以下全日制教育"
    if who.independent:
        return False, "independent_child", "成年子女已独立生活，不计入"
    return True, "dependent_child", "成年子女不能独立生活"


def separate_reasons(case: Case, rule_set: RuleSet, on: date) -> tuple[Reason, ...]:
    """Why this person may not apply apart from the family; nothing where he may (R2).

    Example: LS2016 asks for an adult with severe disability, no labour ability and a register of
    his own; CN2021 for severe disability, an intellectual or mental one of grade 3, or a serious
    illness in a marginal household, or clergy of three years.
    """
    if not case.separate:
        return ()
    (who,) = case.members
    card = who.disability
    severe = card is not None and card.grade <= _SEVERE
    adult = age_on(who.birth_date, on) >= ADULT
    if rule_set is RuleSet.LS2016:
        allowed = adult and severe and who.labor_ability in _NO_LABOR and who.own_register
    else:
        mind = card is not None and card.kind in _MIND and card.grade <= _SEVERE + 1
        in_marginal = case.family_is_marginal and (severe or mind or who.seriously_ill)
        allowed = in_marginal or who.absence is Absence.CLERGY
    if allowed:
        return ()
    return (Reason(code="separate_not_allowed", sentence="不符合单独提出申请的条件"),)
