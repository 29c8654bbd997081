"""Policy parameters: entered by one officer, approved by another, in force by date and place."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from shared import clock, parameters
from shared.auth import Caller
from shared.db import Database
from shared.errors import Conflict, Problem
from shared.parameters import Parameter, holding
from tests.conftest import DatabaseOf
from tests.shared.bureau import (
    ANNE,
    BO,
    CITY,
    CITY_ANNE,
    COUNTY,
    TOWNSHIP,
    VILLAGE,
    Bureau,
    entry,
    officer,
)
from tests.support.places import load_divisions
from tests.support.waiting import until


@pytest.fixture
async def service(database_of: DatabaseOf) -> ServiceDatabase:
    """A service's database with Lishui's divisions."""
    fresh = await database_of("education")
    await load_divisions(fresh)
    return fresh


@pytest.fixture
async def bureau(service: ServiceDatabase) -> AsyncIterator[Bureau]:
    """The api's role at work."""
    database = Database(service.api_url, application_name="tests")
    yield Bureau(database)
    await database.close()


async def test_a_value_holds_once_another_officer_approved_it(bureau: Bureau) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    assert await bureau.value(COUNTY, "2027-01-01") is None
    approved = await bureau.approve(BO, entered)
    assert await bureau.value(COUNTY, "2027-01-01") == 1150
    assert await bureau.value(COUNTY, "2026-12-31") is None
    assert (approved.entered_by, approved.approved_by) == ("anne", "bo")
    assert (entered.version, approved.version) == (1, 2)
    assert bureau.published == [approved]


async def test_the_nearest_division_s_newest_value_holds(bureau: Bureau) -> None:
    for day, amount, place in [
        ("2025-01-01", "900", CITY),
        ("2026-01-01", "1150", COUNTY),
        ("2027-01-01", "1000", CITY),
        ("2028-01-01", "1300", COUNTY),
    ]:
        await bureau.put_in_force(entry(day, amount, division_code=place))
    table = [
        (COUNTY, "2024-12-31", None),
        (COUNTY, "2025-01-01", 900),
        (COUNTY, "2025-12-31", 900),
        (COUNTY, "2026-01-01", 1150),
        (VILLAGE, "2026-06-30", 1150),
        (COUNTY, "2027-01-01", 1150),
        (COUNTY, "2028-01-01", 1300),
        ("331121", "2026-06-30", 900),
        ("331121", "2027-01-01", 1000),
        (CITY, "2028-01-01", 1000),
    ]
    found = [(place, on, await bureau.value(place, on)) for place, on, _ in table]
    assert found == table


async def test_history_lists_what_held_one_after_the_other(bureau: Bureau) -> None:
    for day, amount, place in [
        ("2025-01-01", "900", CITY),
        ("2026-01-01", "1150", COUNTY),
        ("2027-01-01", "1000", CITY),
    ]:
        await bureau.put_in_force(entry(day, amount, division_code=place))
    await bureau.enter(ANNE, entry("2028-01-01", "9999"))
    async with bureau.database.transaction() as session:
        held = await parameters.history(session, "dibao_line", VILLAGE)
    assert [str(row.value) for row in held] == ["900.00", "1150.00"]
    assert [row.valid_from.year for row in held] == [2025, 2026]


def row(division: str, day: date, approved: bool = True) -> Parameter:
    """A row for the pure part."""
    return Parameter.model_validate(
        {
            "parameter_id": uuid4(),
            "key": "dibao_line",
            "division_code": division,
            "valid_from": day,
            "value": 1,
            "unit": "x",
            "document_number": "x",
            "sample": False,
            "entered_by": "a",
            "entered_at": datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
            "approved_by": "b" if approved else None,
        }
    )


CHAIN = (COUNTY, CITY, "330000")
days = st.dates(date(2026, 1, 1), date(2026, 1, 9))


@given(st.sets(st.tuples(st.sampled_from(CHAIN), days), max_size=12), days)
def test_holding_agrees_with_asking_day_by_day(places: set[tuple[str, date]], on: date) -> None:
    """The other way round: the nearest division that has begun, and of it the newest row."""
    rows = [row(place, day) for place, day in places]
    begun = [found for found in rows if found.valid_from <= on]
    nearest = min((CHAIN.index(found.division_code) for found in begun), default=None)
    expected = max(
        (found for found in begun if CHAIN.index(found.division_code) == nearest),
        key=lambda found: found.valid_from,
        default=None,
    )
    held = [found for found in holding(rows, CHAIN) if found.valid_from <= on]
    assert (held[-1] if held else None) == expected
    starts = [found.valid_from for found in holding(rows, CHAIN)]
    assert starts == sorted(set(starts))


async def refusal(doing: Any) -> tuple[int, str]:
    """Status and code of what an action refuses."""
    with pytest.raises(Problem) as refused:
        await doing
    return refused.value.status_code, refused.value.code


async def test_the_same_officer_never_approves_even_by_another_account(bureau: Bureau) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    twin = Caller(sub="another account", officer_id="anne", divisions=(COUNTY,))
    assert await refusal(bureau.approve(twin, entered)) == (409, "same_officer")
    assert bureau.published == []


async def test_approving_again_changes_nothing(bureau: Bureau) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    first = await bureau.approve(BO, entered)
    assert await bureau.approve(BO, entered) == first
    assert len(bureau.published) == 1
    assert await refusal(bureau.approve(officer("chen"), entered)) == (409, "already_approved")


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        (officer(None), "officer_unknown"),
        (officer("anne", "331121"), "division_forbidden"),
        (officer("anne", TOWNSHIP), "division_forbidden"),
        (Caller(sub="nowhere", officer_id="anne"), "division_forbidden"),
    ],
)
async def test_who_may_not_enter(bureau: Bureau, caller: Caller, code: str) -> None:
    assert await refusal(bureau.enter(caller, entry("2027-01-01"))) == (403, code)


@pytest.mark.parametrize(("value", "shown"), [("0.5", "0.50"), ("0.3333", "0.3333"), ("1", "1.00")])
async def test_a_value_is_shown_with_the_places_it_has(
    bureau: Bureau, value: str, shown: str
) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01", value, key="grant_ratio"))
    assert str(entered.value) == shown
    assert str((await bureau.approve(BO, entered)).value) == shown


async def test_another_county_s_officer_does_not_approve(bureau: Bureau) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    stranger = officer("bo", "331121")
    assert await refusal(bureau.approve(stranger, entered)) == (403, "division_forbidden")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "no_such_key"}, "parameter_key_unknown"),
        ({"value": "99.99"}, "parameter_out_of_bounds"),
        ({"value": "10000.01"}, "parameter_out_of_bounds"),
        ({"division_code": "331124999"}, "division_unknown"),
        ({"division_code": TOWNSHIP}, "parameter_scope"),
        ({"key": "grant_ratio", "value": "0.5", "division_code": CITY}, "parameter_scope"),
    ],
)
async def test_a_value_that_no_definition_allows_is_refused(
    bureau: Bureau, wrong: Mapping[str, str], code: str
) -> None:
    assert await refusal(bureau.enter(CITY_ANNE, entry("2027-01-01", **wrong))) == (422, code)


@pytest.mark.parametrize("value", ["100", "10000", "1150.25"])
async def test_bounds_are_included(bureau: Bureau, value: str) -> None:
    assert (await bureau.enter(ANNE, entry("2027-01-01", value))).value == Decimal(value)


async def test_an_unknown_key_is_told_the_known_ones(bureau: Bureau) -> None:
    with pytest.raises(Problem, match="dibao_line, grant_ratio"):
        await bureau.enter(ANNE, entry("2027-01-01", key="no_such_key"))


@pytest.mark.parametrize("day", ["2020-01-01", "2099-01-01"])
async def test_a_day_that_is_taken_is_taken_in_the_past_and_in_the_future(
    bureau: Bureau, day: str
) -> None:
    stands = await bureau.put_in_force(entry(day))
    with pytest.raises(Problem, match=str(stands.parameter_id)) as refused:
        await bureau.enter(ANNE, entry(day, "1200"))
    assert (refused.value.status_code, refused.value.code) == (409, "parameter_exists")


async def test_a_wrong_entry_is_entered_anew_and_only_one_of_them_gets_in_force(
    bureau: Bureau,
) -> None:
    wrong = await bureau.enter(ANNE, entry("2027-01-01", "1510"))
    right = await bureau.enter(ANNE, entry("2027-01-01", "1150"))
    await bureau.approve(BO, right)
    assert await refusal(bureau.approve(BO, wrong)) == (409, "parameter_exists")
    assert await bureau.value(COUNTY, "2027-01-01") == 1150


async def test_the_past_is_open_only_where_nothing_approved_builds_on_it(bureau: Bureau) -> None:
    today = clock.today()
    past = await bureau.put_in_force(entry(today - timedelta(days=30)))
    await bureau.put_in_force(entry(today - timedelta(days=10), "1200"))
    with pytest.raises(Problem, match="1200") as refused:
        await bureau.enter(ANNE, entry(today - timedelta(days=20)))
    assert refused.value.code == "correction_needed"
    assert await bureau.value(COUNTY, past.valid_from.isoformat()) == 1150
    # Another county's past, and today, are open.
    await bureau.put_in_force(entry(today - timedelta(days=20), division_code="331121"))
    await bureau.put_in_force(entry(today + timedelta(days=10), "1300"))
    await bureau.put_in_force(entry(today, "1250"))


async def test_a_past_entry_that_was_overtaken_cannot_be_approved(bureau: Bureau) -> None:
    today = clock.today()
    late = await bureau.enter(ANNE, entry(today - timedelta(days=20)))
    await bureau.put_in_force(entry(today - timedelta(days=10), "1200"))
    assert await refusal(bureau.approve(BO, late)) == (409, "correction_needed")


async def all_at_once(
    service: ServiceDatabase, bureau: Bureau, approvals: Sequence[tuple[Caller, Parameter]]
) -> list[Any]:
    """Let the first approval hold its transaction open until all the others wait behind it."""
    bureau.inside, bureau.go_on = asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(bureau.approve(*approvals[0]))]
    try:
        async with asyncio.timeout(10):
            await bureau.inside.wait()
        tasks += [asyncio.create_task(bureau.approve(*approval)) for approval in approvals[1:]]
        await until(lambda: held_up(service, len(approvals) - 1), what="the others to wait")
    finally:
        bureau.go_on.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return outcomes


async def held_up(service: ServiceDatabase, number: int) -> bool:
    """Whether so many sessions of this database wait for a lock."""
    watching = Database(service.worker_url, application_name="watching")
    try:
        async with watching.transaction() as session:
            waiting = await session.scalar(
                text(
                    "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                    " WHERE NOT granted AND datname = current_database()"
                )
            )
            return int(waiting or 0) == number
    finally:
        await watching.close()


async def test_of_approvals_at_once_one_has_an_effect(
    service: ServiceDatabase, bureau: Bureau
) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    approvals = [(officer(f"o{n}"), entered) for n in range(5)]
    first, *others = await all_at_once(service, bureau, approvals)
    assert [type(other) for other in others] == [Conflict] * 4
    assert {other.code for other in others} == {"already_approved"}
    assert bureau.published == [first]


async def test_of_entries_of_one_day_approved_at_once_one_gets_in_force(
    service: ServiceDatabase, bureau: Bureau
) -> None:
    entered = [await bureau.enter(ANNE, entry("2027-01-01", f"{n}00")) for n in range(2, 7)]
    first, *others = await all_at_once(service, bureau, [(BO, one) for one in entered])
    assert [type(other) for other in others] == [Conflict] * 4
    assert {other.code for other in others} == {"parameter_exists"}
    assert await bureau.value(COUNTY, "2027-01-01") == first.value


async def test_a_failing_publication_leaves_nothing_approved(bureau: Bureau) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))

    async def broken(_session: AsyncSession, _caller: Caller, _parameter: Parameter) -> None:
        raise RuntimeError("the outbox is full")

    with pytest.raises(RuntimeError, match="outbox"):
        async with bureau.database.transaction(divisions=BO.divisions) as session:
            await parameters.approve(session, BO, entered.parameter_id, on_approved=broken)
    assert await bureau.value(COUNTY, "2027-01-01") is None


async def test_both_steps_leave_an_audit_line(bureau: Bureau) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    await bureau.approve(BO, entered)
    async with bureau.database.transaction(divisions=(COUNTY,)) as session:
        lines = await session.execute(
            text("SELECT action, officer_id, subject_id FROM audit_log ORDER BY id")
        )
        assert [tuple(line) for line in lines] == [
            ("parameter.entered", "anne", str(entered.parameter_id)),
            ("parameter.approved", "bo", str(entered.parameter_id)),
        ]


async def test_the_database_itself_keeps_two_people_and_the_divisions_apart(
    service: ServiceDatabase, bureau: Bureau
) -> None:
    entered = await bureau.enter(ANNE, entry("2027-01-01"))
    update = text(
        "UPDATE policy_parameters SET approved_by = :who, approved_at = now() RETURNING key"
    )
    async with bureau.database.transaction(divisions=("331121",)) as session:
        assert (await session.execute(update, {"who": "bo"})).all() == []
    with pytest.raises(Exception, match="ck_policy_parameters_two_people"):
        async with bureau.database.transaction(divisions=(COUNTY,)) as session:
            await session.execute(update, {"who": entered.entered_by})
