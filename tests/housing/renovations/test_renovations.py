"""A renovation from its application to its payment, and what happens around it meanwhile."""

from datetime import date
from decimal import Decimal

import httpx
import pytest

from services.housing.renovations.subsidies import recompute
from shared import clock
from shared.contracts.registry import Category, State
from shared.db import Database
from tests.housing.conftest import Renovated
from tests.housing.support import (
    APPLIED_ON,
    ASKED,
    SAMPLE,
    apply_for,
    brought_to,
    dweller,
    file_of,
    files,
    is_met,
    published,
    receive,
    record,
    regraded,
    rows,
    set_values,
    standing,
)

pytestmark = pytest.mark.usefixtures("values")


async def test_from_application_to_payment(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, renovated: Renovated
) -> None:
    """The policy's example: dibao, D, 25,000, cost 22,000 -> 22,000.00."""
    renovation = await renovated()
    household_id = renovation["household_id"]
    assert (renovation["stage"], renovation["due"], renovation["revision"]) == (
        "applied",
        "appraised",
        1,
    )
    accepted = await brought_to(client, renovation, "accepted")
    assert (accepted["stage"], accepted["amount"], accepted["revision"]) == (
        "accepted",
        "22000.00",
        8,
    )
    assert await files(worker, household_id) == [("D", "closed", "renovated")]
    evidence = f"house-file:{renovation['file_id']}"
    assert await is_met(worker, household_id) == (True, 2, evidence)
    pay = f"/v1/renovations/{renovation['renovation_id']}/pay"
    paid = await colleague.post(pay, json={"paid_on": "2026-06-01"})
    assert (paid.status_code, paid.json()["stage"], paid.json()["due"]) == (200, "paid", None)
    told = await published(worker, "household.assisted")
    assert [(one["status"], one["version"]) for one in told] == [("approved", 1), ("paid", 2)]
    for one in told:
        assert one["assistance_id"] == renovation["renovation_id"]
        assert (one["programme"], one["amount"], one["fund"], one["granted_on"]) == (
            "house_renovation",
            "22000.00",
            "county_housing",
            APPLIED_ON.isoformat(),
        )
    shown = (await client.get(f"/v1/renovations/{renovation['renovation_id']}")).json()
    assert [stage["stage"] for stage in shown["stages"]] == ["applied", *ASKED, "paid"]
    assert {stage["recorded_by"] for stage in shown["stages"][:-1]} == {"o1"}
    assert shown["stages"][-1]["recorded_by"] == "o2"
    assert recompute(shown["reckoning"]) == Decimal("22000.00")
    assert "22000.00元" in shown["reckoning"]["text"]
    figures = (await client.get("/v1/house-files/summary")).json()
    assert (figures["renovated"], figures["closed"], figures["open"]) == (1, 1, 0)


async def test_a_renovated_dwelling_stays_safe_until_the_registry_says_something_new(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    applied = await apply_for(client, await file_of(worker, state.household_id))
    await brought_to(client, applied.json(), "accepted")
    told = await rows(worker, "SELECT id FROM events")
    later = state.model_copy(update={"effective_from": date(2026, 7, 1)})
    await receive(worker, later, version=2)
    returned = standing(later, State.RETURNED, date(2026, 8, 1))
    await receive(worker, returned, version=3)
    assert await rows(worker, "SELECT id FROM events") == told
    assert await files(worker, state.household_id) == [("D", "closed", "renovated")]
    await receive(worker, regraded(returned, "B"), version=4)
    met = await is_met(worker, state.household_id)
    assert met is not None
    assert met[0] is True
    await receive(worker, regraded(returned, "D"), version=5)
    assert await files(worker, state.household_id) == [
        ("D", "closed", "renovated"),
        ("D", "open", None),
    ]
    met = await is_met(worker, state.household_id)
    assert met is not None
    assert met[0] is False
    assert len(await published(worker, "hardship.detected")) == 1


async def test_the_category_is_that_of_the_day_of_application(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """dibao_marginal on 6 May, tekun from June on: 0.8 of the base counts."""
    marginal = dweller("D", category=Category.DIBAO_MARGINAL)
    tekun = marginal.model_copy(
        update={
            "category": Category.TEKUN,
            "periods": (
                *marginal.periods,
                marginal.periods[0].model_copy(
                    update={"category": Category.TEKUN, "valid_from": date(2026, 6, 1)}
                ),
            ),
        }
    )
    await receive(worker, tekun)
    applied = await apply_for(client, await file_of(worker, tekun.household_id))
    assert applied.json()["category"] == "dibao_marginal"
    accepted = await brought_to(client, applied.json(), "accepted")
    assert accepted["amount"] == "20000.00"


async def test_the_parameters_are_those_of_the_day_of_acceptance(
    client: httpx.AsyncClient, worker: Database, renovated: Renovated
) -> None:
    await set_values(worker, {"house.base.rebuild.d": "21000"}, valid_from=date(2026, 6, 1))
    before = await renovated("completed")
    after = await renovated("completed")
    first = await record(client, before, "accepted", done_on="2026-05-31")
    second = await record(client, after, "accepted", done_on="2026-06-01")
    assert (first.json()["amount"], second.json()["amount"]) == ("22000.00", "21000.00")
    base = second.json()["reckoning"]["parameters"]["base"]
    assert (base["key"], base["valid_from"]) == ("house.base.rebuild.d", "2026-06-01")


async def test_a_repair_ends_where_the_house_becomes_d(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("C")
    await receive(worker, state)
    file_id = await file_of(worker, state.household_id)
    applied = (await apply_for(client, file_id, "repair")).json()
    checked = await brought_to(client, applied, "checked", appraised={"appraised_grade": "C"})
    await receive(worker, regraded(state, "D"), version=2)
    answer = await record(client, checked, "completed")
    assert (answer.status_code, answer.json()["code"]) == (422, "house_became_d")
    cancel = f"/v1/renovations/{applied['renovation_id']}/cancel"
    assert (await client.post(cancel, json={"reason": "房屋已定为D级"})).status_code == 200
    assert (await apply_for(client, file_id, "rebuild")).status_code == 201


async def test_a_renovation_goes_on_when_the_grade_was_corrected_meanwhile(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """The house was appraised anew after the works and before their acceptance."""
    state = dweller("D")
    await receive(worker, state)
    applied = (await apply_for(client, await file_of(worker, state.household_id))).json()
    completed = await brought_to(client, applied, "completed")
    await receive(worker, regraded(state, "A"), version=2)
    accepted = await record(client, completed, "accepted")
    assert accepted.json()["amount"] == "22000.00"
    assert await files(worker, state.household_id) == [("D", "closed", "grade_corrected")]


async def test_of_a_closed_household_a_renovation_can_only_be_cancelled(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    renovation = (await apply_for(client, await file_of(worker, state.household_id))).json()
    await receive(worker, standing(state, State.CLOSED, date(2026, 6, 1)), version=2)
    answer = await record(client, renovation, "appraised")
    assert (answer.status_code, answer.json()["code"]) == (409, "household_closed")
    again = await apply_for(client, renovation["file_id"])
    assert (again.status_code, again.json()["code"]) == (409, "house_file_closed")
    cancel = f"/v1/renovations/{renovation['renovation_id']}/cancel"
    assert (await client.post(cancel, json={"reason": "住户已去世"})).json()["stage"] == "cancelled"


async def test_cancelled_before_acceptance_and_never_after(
    client: httpx.AsyncClient, worker: Database, renovated: Renovated
) -> None:
    renovation = await renovated("checked")
    cancel = f"/v1/renovations/{renovation['renovation_id']}/cancel"
    assert (await client.post(cancel, json={"reason": " "})).status_code == 422
    done = await client.post(cancel, json={"reason": "农户放弃"})
    assert (done.json()["stage"], done.json()["cancel_reason"]) == ("cancelled", "农户放弃")
    again = await client.post(cancel, json={"reason": "农户放弃"})
    assert (again.status_code, again.json()["code"]) == (409, "renovation_settled")
    assert await files(worker, renovation["household_id"]) == [("D", "open", None)]
    assert await published(worker, "household.assisted") == []
    accepted = await renovated("accepted")
    late = await client.post(
        f"/v1/renovations/{accepted['renovation_id']}/cancel", json={"reason": "x"}
    )
    assert (late.status_code, late.json()["code"]) == (409, "renovation_settled")


@pytest.mark.parametrize(
    ("applied_on", "disaster", "status"),
    [
        ("2026-10-01", False, 422),
        ("2026-10-01", True, 201),
        ("2026-11-06", False, 201),
    ],
)
async def test_once_in_the_years_that_the_county_set_unless_for_a_disaster(
    client: httpx.AsyncClient, worker: Database, applied_on: str, disaster: bool, status: int
) -> None:
    """Half a year in this county, so that both sides of the boundary lie in the past."""
    await set_values(worker, {"house.repeat_years": "0.5"}, valid_from=date(2026, 2, 1))
    state = dweller("D")
    await receive(worker, state)
    applied = (await apply_for(client, await file_of(worker, state.household_id))).json()
    await brought_to(client, applied, "accepted")
    await receive(worker, regraded(state, "C"), version=2)
    await receive(worker, regraded(state, "D"), version=3)
    again = await apply_for(
        client,
        await file_of(worker, state.household_id),
        applied_on=applied_on,
        disaster=disaster,
    )
    assert again.status_code == status, again.text
    if status == 422:
        assert again.json()["code"] == "renovated_before"
        assert "2026-11-06" in again.json()["detail"]


async def test_renovations_are_listed_and_their_readings_noted(
    client: httpx.AsyncClient, worker: Database, renovated: Renovated
) -> None:
    first, second = await renovated("planned"), await renovated(division_code="331124101001")
    for query, expected in (
        ("", [first, second]),
        ("?stage=planned", [first]),
        ("?stage=applied", [second]),
        (f"?household={first['household_id']}", [first]),
        ("?division=331124101", [second]),
    ):
        found = (await client.get(f"/v1/renovations{query}")).json()["items"]
        assert [one["renovation_id"] for one in found] == [
            one["renovation_id"] for one in expected
        ], query
    noted = await rows(
        worker, "SELECT DISTINCT subject_id FROM audit_log WHERE action = 'renovations.read'"
    )
    assert {row["subject_id"] for row in noted} == {first["household_id"], second["household_id"]}
    shown = (await client.get(f"/v1/households/{first['household_id']}/dwelling")).json()
    assert [one["stage"] for one in shown["renovations"]] == ["planned"]


async def test_renovations_follow_a_household_that_moved(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    renovation = (await apply_for(client, await file_of(worker, state.household_id))).json()
    await brought_to(client, renovation, "planned")
    await receive(worker, state.model_copy(update={"division_code": "331124101001"}), version=2)
    for table, count in (("renovations", 1), ("renovation_stages", 3)):
        found = await rows(worker, f"SELECT division_code FROM {table}")  # noqa: S608 (above)
        assert found == [{"division_code": "331124101001"}] * count


async def test_the_county_s_parameters_are_entered_by_one_and_approved_by_another(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    entry = {
        "key": "house.factor.tekun",
        "division_code": "331124",
        "valid_from": clock.today().isoformat(),
        "value": "9",
        "document_number": "丽建〔2026〕8号",
    }
    answer = await client.post("/v1/parameters", json=entry)
    assert (answer.status_code, answer.json()["code"]) == (422, "parameter_out_of_bounds")
    listed = (await client.get("/v1/parameters?division=331124&on=2026-06-01")).json()["items"]
    assert {one["key"] for one in listed} == set(SAMPLE)
