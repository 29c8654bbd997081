"""What other capabilities know of households: helper, plan, visits, checks, aid and the rest."""

from datetime import date

import asyncpg

from deploy.local.provision import ServiceDatabase
from services.registry.households import sealed
from shared import clock

FIRST_OF_YEAR = date(clock.today().year, 1, 1)
_HELPER = """
    INSERT INTO helpers (helper_id, division_code, officer_id, name_encrypted, phone_encrypted,
        kind, unit, started_on, registered_by, recorded_at)
    VALUES (gen_random_uuid(), '331124', 'o9', $2, $3, 'organ', '县水利局', $1, 'o1', now())
"""
_BESIDE = (
    """INSERT INTO pairings (pairing_id, household_id, helper_id, division_code, lead, paired_on,
        paired_by, ended_on, end_reason, recorded_at)
    SELECT gen_random_uuid(), household_id, helper_id, households.division_code, lead, on_day, 'o1',
        ended_on, '', now()
    FROM households, helpers, (VALUES (true, $1::date - 9, $1::date - 1), (true, $1::date, NULL))
        AS given(lead, on_day, ended_on)""",
    """INSERT INTO plans (plan_id, household_id, division_code, version, state, causes,
        target_income, arable_mu, forest_mu, words_encrypted, drafted_on, drafted_by, approved_on,
        revision, recorded_at)
    SELECT gen_random_uuid(), household_id, division_code, number, stage, '{}', income, 0, 0, '',
        $1, 'o1', $1::date + number, 1, now()
    FROM households, (VALUES (1, 'replaced', 9000), (2, 'in_force', 15000), (3, 'draft', 1))
        AS given(number, stage, income)""",
    """INSERT INTO plan_measures (measure_id, plan_id, household_id, division_code, kind, cause,
        bureau, officer_id, budget, fund, begins_on, due_on, state, recorded_at)
    SELECT gen_random_uuid(), plan_id, household_id, division_code, 'health', 'illness', 'b', 'o1',
        1, 'f', $1, $1, measure.state, now()
    FROM plans, (VALUES ('planned'), ('carried_out'), ('carried_out')) AS measure(state)
    WHERE plans.state = 'in_force'""",
    """INSERT INTO visits (visit_id, household_id, division_code, kind, visited_on, officer_id,
        findings_encrypted, photos, recorded_at)
    SELECT gen_random_uuid(), household_id, division_code, 'helper', $1::date + day, 'o1', '', '{}',
        now() FROM households, (VALUES (-1), (0), (1)) AS given(day)""",
    """INSERT INTO income_checks (check_id, household_id, division_code, episode, checked_on,
        category, n, income_wage, income_business, income_property, income_transfer,
        food_and_clothing, note, per_capita_month, per_capita_year, line, standard_id,
        document_number, parameters, passed, reasons, officer_id, recorded_at)
    SELECT gen_random_uuid(), household_id, division_code, 1, $1::date + day, 'dibao', 1, 0, 0, 0,
        0, true, '', 100 + day, 1200, 700, gen_random_uuid(), 'd', '{}', day = 0, '{}', 'o1', now()
    FROM households, (VALUES (-30), (0)) AS given(day)""",
    """INSERT INTO review_dates (household_id, division_code, kind, from_on, due_on, reckoned_on)
    SELECT household_id, division_code, 'dibao', $1, $1::date + 365, $1 FROM households
    ON CONFLICT (household_id) DO UPDATE SET due_on = excluded.due_on""",
    """INSERT INTO household_aliases (household_id, kind, number, division_code, recorded_by,
        recorded_at)
    SELECT household_id, kind, letter || household_no, division_code, 'o1', $1::date
    FROM households, (VALUES ('national_household_no', 'N'), ('hukou_no', 'H'))
        AS given(kind, letter)""",
    """INSERT INTO guarantees (source, guarantee_id, household_id, division_code, kind, met,
        evidence_id, since, version, recorded_at)
    SELECT 'relief', gen_random_uuid(), household_id, division_code, kind, met, '', $1, 1, now()
    FROM households, (VALUES ('living', true), ('living', false), ('housing', true),
        ('education', true)) AS said(kind, met)""",
    """INSERT INTO aid_ledger (source, assistance_id, household_id, division_code, person_ids,
        programme, status, amount, fund, month, granted_on, version, recorded_at)
    SELECT 'relief', gen_random_uuid(), household_id, division_code, '{}', 'dibao', status, amount,
        'dibao', NULL, $1::date + day, 1, now()
    FROM households, (VALUES ('paid', 40, -1), ('paid', 600, 0), ('approved', 50, 2),
        ('reversed', 7, 3)) AS given(status, amount, day)""",
    """UPDATE members SET disability_kind = 'limb', disability_grade = 2, willing_to_work = true,
        left_behind = false WHERE $1::date IS NOT NULL""",
)
"""What the other capabilities know of every household on file, written as their owner."""


async def write_beside(place: ServiceDatabase) -> None:
    """Write it for every household of the database, whose people are made disabled by it too."""
    connection = await asyncpg.connect(place.owner_url)
    name, phone = sealed.seal_official_name("周水利"), sealed.seal_phone("13912345678")
    try:
        await connection.execute("SELECT set_config('bangfu.divisions', ',', false)")
        await connection.execute(_HELPER, FIRST_OF_YEAR, name, phone)
        for order in _BESIDE:
            await connection.execute(order, FIRST_OF_YEAR)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
