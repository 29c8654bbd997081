"""A case is tried over the API: the same reckoning with the values in force, nothing stored."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.registry.households.queries import load_households
from services.registry.means import queries
from services.registry.means.declared import Declaration, PersonDeclared, case_of
from services.registry.means.facts import Absence, Finding, Income, IncomeKind
from services.registry.means.parameters import CYCLES, DEFINITIONS
from services.registry.means.review import Kind, next_review
from services.registry.means.rules import decide
from services.registry.standards.handlers import on_standards
from shared.contracts.registry import RuleSet
from shared.parameters import Entry, approve, enter
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OFFICER, SURVEYOR, Office, Registry, person, problem
from tests.registry.means.cases import CN2021, parameters
from tests.registry.told import VILLAGE, standard_event

HEAD = str(UUID(int=1))
CASE: dict[str, Any] = {
    "applied_on": "2026-03-01",
    "members": [{"person_id": HEAD, "relation": "head", "birth_date": "1980-05-17"}],
    "incomes": [{"kind": "wage", "amount": "7199.88"}],
}


@pytest.fixture
async def tester(registry: Registry, office_of: OfficeOf) -> Office:
    """An officer who may try cases, where the wage and the reference income are known too."""
    async with registry.worker.transaction() as session:
        await on_standards(
            session,
            [
                standard_event(key="minimum_wage", value="1380"),
                standard_event(key="disposable_income_ref", value="24000"),
            ],
        )
    return await office_of("registry.means:read")


async def ask(office: Office, case: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"division_code": VILLAGE, "decided_on": "2026-03-10", "case": case} | more
    return await office.client.post("/v1/means-tests", json=body)


async def test_a_case_is_reckoned_and_told(registry: Registry, tester: Office) -> None:
    before = await registry.counted("events", "households", "audit_log")

    answer = await ask(tester, CASE)

    assert answer.status_code == 200, answer.text
    finding = answer.json()["finding"]
    assert (finding["primary"], finding["rule_set"], finding["n"]) == ("dibao", "CN2025", 1)
    assert finding["per_capita_month"] == "599.99"
    assert "人均月收入599.99元，须低于" in answer.json()["words"]
    assert await registry.counted("events", "households", "audit_log") == before


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"members": []}, "nobody_counts"),
        ({"incomes": [{"kind": "wage", "amount": "-1"}]}, "amount_negative"),
        ({"incomes": [{"kind": "wage", "amount": "1.005"}]}, "amount_not_money"),
        ({"incomes": [{"kind": "wage", "amount": "1E+40"}]}, "amount_not_money"),
        ({"incomes": [{"kind": "wage", "amount": "NaN"}]}, "request_invalid"),
        ({"incomes": [{"kind": "gift", "amount": "1"}]}, "request_invalid"),
    ],
)
async def test_what_cannot_be_is_refused(
    tester: Office, changed: dict[str, Any], code: str
) -> None:
    problem(await ask(tester, CASE | changed), 422, code)


async def test_a_value_that_nobody_set_is_named(tester: Office) -> None:
    answer = await ask(tester, CASE | {"applied_on": "2023-05-01"}, decided_on="2023-05-10")

    assert problem(answer, 422, "parameter_missing")


async def test_the_values_in_force_carry_the_review_calendar(
    registry: Registry,
) -> None:
    on = date(2026, 3, 10)
    async with registry.acting(OFFICER) as session:
        for key in CYCLES:
            entry = Entry(
                key=key,
                division_code="331124",
                valid_from=on,
                value=Decimal(6),
                document_number="sample, not official",
                sample=True,
            )
            entered = await enter(session, OFFICER, DEFINITIONS, entry)
            await approve(session, SURVEYOR, entered.parameter_id)
    async with registry.worker.transaction() as session:
        known = await queries.parameters_for(session, VILLAGE, on, applied_on=on)

    assert all(next_review(kind, RuleSet.CN2025, known, on) > on for kind in Kind)


async def test_it_takes_its_scope(office: Office) -> None:
    problem(await ask(office, CASE), 403, "scope_missing")


async def test_the_case_of_a_file_with_what_is_declared(registry: Registry, office: Office) -> None:
    household_id = await office.identified(person(), person("son"), person("sibling"))
    (_, _, state) = (await registry.states(household_id))[-1]
    head, *others = state.members
    facts = await _facts(registry, household_id)
    away = Declaration(people={others[0].person_id: PersonDeclared(absence=Absence.PRISON)})
    apart = Declaration(separate=others[0].person_id, family_is_marginal=True)
    richer = Declaration(incomes=(Income(kind=IncomeKind.WAGE, amount=state.incomes.wage * 9),))

    plain, without, declared = (
        decide(case_of(facts, said, applied_on=CN2021), parameters(), CN2021)
        for said in (Declaration(), away, richer)
    )

    alone = case_of(facts, apart, applied_on=CN2021)
    assert [who.person_id for who in alone.members] == [others[0].person_id]
    assert decide(alone, parameters(), CN2021).income == state.incomes.wage
    assert plain.n - without.n == int(_counts(plain, others[0].person_id))
    assert _counts(plain, head.person_id)
    assert (plain.income, declared.income) == (state.incomes.wage, state.incomes.wage * 9)


def _counts(finding: Finding, person_id: UUID) -> bool:
    return next(each.counts for each in finding.counted if each.person_id == person_id)


async def _facts(registry: Registry, household_id: str) -> Any:
    async with registry.worker.transaction() as session:
        found = await load_households(session, [UUID(household_id)], divisions=("",))
    return found[UUID(household_id)].facts
