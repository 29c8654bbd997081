"""Where the full roster's rows come from: a page of households with all that stands beside them.

Two statements a page, whatever the page holds: each capability's newest word on every household,
then the people. Everything is narrowed to the caller's divisions, and row-level security asks
again: a helper of another county is left out, not shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.finding import follow_index
from services.registry.numbers.rules import AliasKind
from services.registry.plans.rules import MeasureState, PlanState
from shared.contracts.assistance import AssistanceStatus, GuaranteeKind
from shared.contracts.registry import State
from shared.db import COVERED, driver_of, successor

PAGE = 250
"""Households a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Households in the order of their ids, and their people by household, the head first."""

    households: Sequence[asyncpg.Record]
    people: Sequence[asyncpg.Record]


async def page(
    session: AsyncSession,
    division: str,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    today: date,
) -> Page:
    """The next files of ``division`` that are not closed, as they stand now.

    Read by one's own transaction: a household keeps its place among the ids, so that whoever is
    filed or moves meanwhile makes nobody stand twice or be left out.
    """
    driver = driver_of(session)
    await follow_index(session)
    households = await driver.fetch(
        _HOUSEHOLDS,
        division,
        successor(division),
        divisions,
        after or _FIRST,
        date(today.year, 1, 1),
        today,
    )
    ids = [household["household_id"] for household in households]
    people = await driver.fetch(_PEOPLE, ids, divisions) if ids else []
    return Page(households=households, people=people)


_FIRST = UUID(int=0)


def _met(kind: GuaranteeKind, name: str) -> str:
    return f"bool_and(met) FILTER (WHERE kind = '{kind.value}') AS {name}"


_GUARANTEES: tuple[tuple[GuaranteeKind, str], ...] = (
    (GuaranteeKind.LIVING, "living"),
    (GuaranteeKind.HOUSING, "housing"),
    (GuaranteeKind.MEDICAL, "medical"),
    (GuaranteeKind.EDUCATION, "schooling"),
    (GuaranteeKind.EMPLOYMENT, "employment"),
)

_HOUSEHOLDS = f"""
    WITH page AS MATERIALIZED (
        SELECT household_id, household_no, division_code, state, category, tags, causes, rule_set,
               keep_policy_until, house_grade, income_wage, income_business, income_property,
               income_transfer, rigid_medical, rigid_education, rigid_disability, rigid_other,
               assets_financial, vehicles, head_person_id, n, episode, effective_from, origin,
               opened_on, phone_encrypted, account_encrypted
        FROM households
        WHERE division_code >= $1 AND division_code < $2 AND household_id > $4
          AND state <> '{State.CLOSED.value}' AND {COVERED.format(at=3, column="division_code")}
        ORDER BY household_id LIMIT {PAGE}
    )
    SELECT page.*, stay.identified_on, stay.lifted_on, stay.exited_on,
           national.number AS national_no, booklet.number AS hukou_no,
           said.living, said.housing, said.medical, said.schooling, said.employment,
           given.aid_on, given.aid, given.aid_this_year,
           helper.name_encrypted AS helper_name_encrypted, helper.unit AS helper_unit,
           helper.phone_encrypted AS helper_phone_encrypted, pairing.paired_on,
           plan.approved_on AS plan_approved_on, plan.target_income,
           tally.measures, tally.measures_done,
           seen.visited_on, seen.visits_this_year,
           checked.checked_on, checked.per_capita_month AS checked_income,
           checked.passed AS check_passed, review.due_on AS review_due_on
    FROM page
    LEFT JOIN episodes AS stay
        ON stay.household_id = page.household_id AND stay.number = page.episode
    LEFT JOIN household_aliases AS national ON national.household_id = page.household_id
        AND national.kind = '{AliasKind.NATIONAL_HOUSEHOLD_NO.value}'
    LEFT JOIN household_aliases AS booklet ON booklet.household_id = page.household_id
        AND booklet.kind = '{AliasKind.HUKOU_NO.value}'
    LEFT JOIN pairings AS pairing ON pairing.household_id = page.household_id
        AND pairing.lead AND pairing.ended_on IS NULL
    LEFT JOIN helpers AS helper ON helper.helper_id = pairing.helper_id
    LEFT JOIN plans AS plan ON plan.household_id = page.household_id
        AND plan.state = '{PlanState.IN_FORCE.value}'
    LEFT JOIN review_dates AS review ON review.household_id = page.household_id
    LEFT JOIN LATERAL (
        SELECT count(*) AS measures,
               count(*) FILTER (WHERE state = '{MeasureState.CARRIED_OUT.value}') AS measures_done
        FROM plan_measures WHERE plan_measures.plan_id = plan.plan_id
    ) AS tally ON plan.plan_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT max(visited_on) AS visited_on,
               count(*) FILTER (WHERE visited_on >= $5) AS visits_this_year
        FROM visits WHERE visits.household_id = page.household_id AND visited_on <= $6
    ) AS seen ON true
    LEFT JOIN LATERAL (
        SELECT checked_on, per_capita_month, passed FROM income_checks
        WHERE income_checks.household_id = page.household_id
        ORDER BY checked_on DESC, check_id DESC LIMIT 1
    ) AS checked ON true
    LEFT JOIN LATERAL (
        SELECT {", ".join(_met(kind, name) for kind, name in _GUARANTEES)}
        FROM guarantees WHERE guarantees.household_id = page.household_id
    ) AS said ON true
    LEFT JOIN LATERAL (
        SELECT max(granted_on) AS aid_on,
               (array_agg(amount ORDER BY granted_on DESC, assistance_id DESC))[1] AS aid,
               sum(amount) FILTER (
                   WHERE granted_on >= $5 AND status = '{AssistanceStatus.PAID.value}'
               ) AS aid_this_year
        FROM aid_ledger WHERE aid_ledger.household_id = page.household_id
          AND granted_on <= $6 AND status <> '{AssistanceStatus.REVERSED.value}'
    ) AS given ON true
    ORDER BY page.household_id
"""  # noqa: S608 (constants)

_PEOPLE = f"""
    SELECT members.household_id, members.person_id, relation, health, disability_kind,
           disability_grade, labor_ability, willing_to_work, education, school_stage, work,
           insured, left_behind, counted, name, sex, birth_date, id_number_encrypted,
           persons.phone_encrypted
    FROM members JOIN persons ON persons.person_id = members.person_id
    WHERE members.household_id = ANY ($1::uuid[]) AND left_on IS NULL
      AND {COVERED.format(at=2, column="members.division_code")}
    ORDER BY members.household_id, relation <> 'head', members.person_id
"""  # noqa: S608 (constants)
