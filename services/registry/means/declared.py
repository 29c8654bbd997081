"""The case of a household on file: its facts, and what its members declare beside them. Pure.

The file knows four incomes, four rigid expenses, money and vehicles; who earns what, for how long
expenses have lasted, obligors and the like are declared with the application.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.means.facts import (
    Absence,
    Asset,
    AssetKind,
    Case,
    Cost,
    Income,
    IncomeKind,
    Obligor,
    Person,
    Removal,
    Rigid,
    RigidKind,
)
from shared.contracts.registry import Health, Member


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDeclared:
    """What is said of one member; None and false leave it as the file has it."""

    postgraduate: bool = False
    independent: bool = False
    supports: bool = False
    own_register: bool = False
    absence: Absence | None = None
    unproven_income: bool = False
    steady_income: bool = False
    applies_as_tekun: bool = False
    is_tekun: bool = False
    orphan_support: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What is declared with an application.

    ``incomes``, ``assets`` and ``rigid`` take the place of what the file has where they are given
    (None: the file's hold). ``separate`` is who applies apart from the family (R2): what others
    earn and own is left out, and what is of the whole household counts in full until it is
    declared by person.
    """

    people: Mapping[UUID, PersonDeclared] = field(default_factory=dict)
    incomes: tuple[Income, ...] | None = None
    assets: tuple[Asset, ...] | None = None
    rigid: tuple[Rigid, ...] | None = None
    costs: tuple[Cost, ...] = ()
    obligors: tuple[Obligor, ...] = ()
    removals: tuple[Removal, ...] = ()
    rigid_months: int = 0
    local_hukou: bool = True
    frozen_roster: bool = False
    office_decision: bool = False
    separate: UUID | None = None
    family_is_marginal: bool = False


def case_of(facts: Facts, declaration: Declaration, *, applied_on: date) -> Case:
    """The case of this file with this declaration.

    Example: incomes of 6,000 wage and -500 business on file and none declared: two incomes of the
    whole household, of which the loss counts as 0.
    """
    said = declaration
    case = Case(
        applied_on=applied_on,
        members=tuple(
            _person(member, said.people.get(member.person_id)) for member in facts.members
        ),
        incomes=said.incomes if said.incomes is not None else tuple(_incomes(facts)),
        assets=said.assets if said.assets is not None else tuple(_assets(facts)),
        rigid=said.rigid if said.rigid is not None else tuple(_rigid(facts)),
        costs=said.costs,
        obligors=said.obligors,
        removals=said.removals,
        rigid_months=said.rigid_months,
        local_hukou=said.local_hukou,
        frozen_roster=said.frozen_roster,
        returned=len(facts.episodes) > 1,
        office_decision=said.office_decision,
        family_is_marginal=said.family_is_marginal,
    )
    return case if said.separate is None else _apart(case, said.separate)


def _apart(case: Case, person_id: UUID) -> Case:
    """The case of one member alone."""
    mine = {None, person_id}
    return replace(
        case,
        separate=True,
        members=tuple(who for who in case.members if who.person_id == person_id),
        incomes=tuple(one for one in case.incomes if one.person_id in mine),
        costs=tuple(one for one in case.costs if one.person_id in mine),
        obligors=tuple(
            replace(one, supports=(person_id,))
            for one in case.obligors
            if person_id in one.supports
        ),
        removals=tuple(one for one in case.removals if one.person_id == person_id),
    )


def _person(member: Member, said: PersonDeclared | None) -> Person:
    known = Person(
        person_id=member.person_id,
        relation=member.relation,
        birth_date=member.birth_date,
        disability=member.disability,
        seriously_ill=member.health is Health.SERIOUS_ILLNESS,
        labor_ability=member.labor_ability,
        school_stage=member.school_stage,
        absence=None if member.counted else Absence.NOT_COUNTED,
    )
    if said is None:
        return known
    return replace(
        known,
        postgraduate=said.postgraduate,
        independent=said.independent,
        supports=said.supports,
        own_register=said.own_register,
        absence=said.absence or known.absence,
        unproven_income=said.unproven_income,
        steady_income=said.steady_income,
        applies_as_tekun=said.applies_as_tekun,
        is_tekun=said.is_tekun,
        orphan_support=said.orphan_support,
    )


def _incomes(facts: Facts) -> Iterable[Income]:
    for name, amount in facts.incomes:
        if amount:
            yield Income(kind=IncomeKind(name), amount=amount)


def _assets(facts: Facts) -> Iterable[Asset]:
    if facts.assets.financial:
        yield Asset(kind=AssetKind.MONEY, amount=facts.assets.financial)
    if facts.assets.vehicles:
        yield Asset(kind=AssetKind.VEHICLE, amount=Decimal(facts.assets.vehicles))


def _rigid(facts: Facts) -> Iterable[Rigid]:
    """The fourth, ``other``, is daily living or unknown and counts nowhere (R17)."""
    spent = facts.rigid_expenses
    for kind, amount in (
        (RigidKind.MEDICAL, spent.medical),
        (RigidKind.SCHOOL, spent.education),
        (RigidKind.DISABILITY, spent.disability),
    ):
        if amount:
            yield Rigid(kind=kind, amount=amount)
