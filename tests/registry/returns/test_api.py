"""Hardship reported by a township, return checks listed and dismissed, and the return itself."""

import asyncio
from typing import Any

import httpx
import pytest

from services.registry.returns.handlers import on_hardships
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_COUNTY, OTHER_TOWNSHIP, WRITTEN, Office, Registry, problem
from tests.registry.told import hardship_event

ILL = {"kind": "illness", "detected_on": "2026-03-20"}
VISIT = {"reason": "医疗费已报销", "visited_on": "2026-03-25"}


async def report(office: Office, household_id: str, **given: Any) -> httpx.Response:
    where = f"/v1/households/{household_id}/hardships"
    return await office.client.post(where, json=ILL | given)


async def opened(office: Office, household_id: str, **given: Any) -> str:
    """Report a sign that must open a return check; gives its id."""
    answer = await report(office, household_id, **given)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["return_check"]["return_check_id"])


async def dismiss(office: Office, check_id: str, **given: Any) -> httpx.Response:
    where = f"/v1/return-checks/{check_id}/dismiss"
    return await office.client.post(where, json=VISIT | given)


async def take_back(office: Office, household_id: str, **given: Any) -> httpx.Response:
    body = {"decided_on": "2026-04-01", "reason": "重病,经入户核实"}
    return await office.client.post(f"/v1/households/{household_id}/return", json=body | given)


async def listed(office: Office, **query: Any) -> list[dict[str, Any]]:
    answer = await office.client.get("/v1/return-checks", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_township_reports_what_it_saw(registry: Registry, office: Office) -> None:
    household_id = await office.struck_off()
    before = await registry.counted("events", "outbox", "household_versions")

    answer = await report(office, household_id, amount="23000.50", note="住院")

    assert answer.status_code == 201, answer.text
    check = answer.json()["return_check"]
    shown = ("household_id", "source", "kind", "detected_on", "amount", "outcome", "opened_on")
    assert [check[name] for name in shown] == [
        household_id,
        "/registry",
        "illness",
        "2026-03-20",
        "23000.50",
        None,
        clock.today().isoformat(),
    ]
    assert check["hardship_id"] == answer.json()["hardship_id"]
    assert check["due_on"] > clock.today().isoformat()
    assert ("household.hardship_reported", "o1") in await registry.audited(household_id)
    assert await registry.counted("events", "outbox", "household_versions") == before


async def test_at_a_household_on_assistance_it_is_kept(office: Office) -> None:
    household_id = await office.identified()

    answer = await report(office, household_id)

    assert answer.json()["return_check"] is None
    story = await office.client.get(f"/v1/households/{household_id}/timeline")
    told = [each for each in story.json()["items"] if each["kind"] == "hardship"]
    assert [(each["on"], each["detail"]["kind"]) for each in told] == [("2026-03-20", "illness")]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"kind": "other"}, "note_missing"),
        ({"detected_on": "2999-01-01"}, "date_in_future"),
        ({"kind": "dangerous_house"}, "request_invalid"),
        ({"amount": "-1"}, "request_invalid"),
    ],
)
async def test_what_is_no_report(
    registry: Registry, office: Office, given: dict[str, Any], code: str
) -> None:
    household_id = await office.open()
    before = await registry.counted(*WRITTEN)

    problem(await report(office, household_id, **given), 422, code)

    assert await registry.counted(*WRITTEN) == before


async def test_a_closed_file_takes_no_report(office: Office, office_of: OfficeOf) -> None:
    household_id = await office.identified()
    await office.decide(household_id, "close", decided_on="2026-03-01", ground="moved_out")
    reader = await office_of("registry.households:read")

    problem(await report(office, household_id), 409, "household_closed")
    problem(await report(reader, household_id), 403, "scope_missing")


async def test_checks_are_listed_by_division_and_by_what_is_open(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    next_door = await office_of(divisions=("331121",), officer="o9")
    here, there = await office.struck_off(), await office.struck_off(division_code=OTHER_TOWNSHIP)
    far = await next_door.struck_off(division_code=OTHER_COUNTY)
    ended, open_, elsewhere = (
        await opened(office, here),
        await opened(office, here),
        await opened(office, there),
    )
    foreign = await opened(next_door, far)
    assert (await dismiss(office, ended)).status_code == 200

    def ids(checks: list[dict[str, Any]]) -> set[str]:
        return {each["return_check_id"] for each in checks} & {ended, open_, elsewhere, foreign}

    assert ids(await listed(office)) == {ended, open_, elsewhere}
    assert ids(await listed(office, open="true")) == {open_, elsewhere}
    assert ids(await listed(office, open="false")) == {ended}
    assert ids(await listed(office, division="331124212")) == {elsewhere}
    assert ids(await listed(office, division="331100")) == {ended, open_, elsewhere}
    assert ids(await listed(office, division="331121")) == set()
    assert ids(await listed(next_door)) == {foreign}
    problem(await dismiss(next_door, open_), 404, "return_check_not_found")
    assert ("return_check.read", "o1") in await registry.audited(here)


async def test_the_list_pages(office: Office) -> None:
    household_id = await office.struck_off()
    made = [await opened(office, household_id) for _ in range(5)]
    seen: list[str] = []
    cursor = None

    while cursor is not None or not seen:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await office.client.get("/v1/return-checks", params=query)).json()
        seen += [each["return_check_id"] for each in page["items"]]
        cursor = page["next_cursor"]

    assert [each for each in seen if each in made] == made
    assert len(seen) == len(set(seen))


async def test_a_check_is_dismissed_once_after_a_visit(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.struck_off()
    check_id = await opened(office, household_id)
    clerk = await office_of("registry.households:read registry.households:write")

    problem(await dismiss(clerk, check_id), 403, "scope_missing")
    problem(await dismiss(office, check_id, reason=" "), 422, "reason_missing")
    problem(await dismiss(office, check_id, visited_on="2026-03-19"), 422, "visit_before_sign")
    done = await dismiss(office, check_id)
    problem(await dismiss(office, check_id), 409, "return_check_closed")
    problem(await dismiss(office, household_id), 404, "return_check_not_found")

    assert done.status_code == 200, done.text
    shown = ("outcome", "visited_on", "reason", "closed_by", "closed_on")
    assert [done.json()[name] for name in shown] == [
        "dismissed",
        "2026-03-25",
        "医疗费已报销",
        "o1",
        clock.today().isoformat(),
    ]
    assert (await registry.audited(household_id))[-1] == ("return_check.dismissed", "o1")


async def test_a_return_names_its_check_and_ends_them_all(
    registry: Registry, office: Office
) -> None:
    household_id = await office.struck_off()
    dismissed, named, other = [await opened(office, household_id) for _ in range(3)]
    assert (await dismiss(office, dismissed)).status_code == 200

    unnamed = problem(await take_back(office, household_id), 422, "return_check_unnamed")
    wrong = await take_back(office, household_id, return_check_id=dismissed)
    done = await take_back(office, household_id, return_check_id=named)

    assert named in unnamed["errors"][0]["message"]
    problem(wrong, 422, "return_check_unknown")
    assert done.status_code == 200, done.text
    outcomes = {
        each["return_check_id"]: (each["outcome"], each["closed_on"])
        for each in await listed(office, open="false")
        if each["household_id"] == household_id
    }
    assert outcomes == {
        dismissed: ("dismissed", clock.today().isoformat()),
        named: ("returned", "2026-04-01"),
        other: ("returned", "2026-04-01"),
    }
    (decision,) = await registry.rows(
        "SELECT checks FROM decisions WHERE household_id = :id AND kind = 'return'",
        id=household_id,
    )
    rests = [each["rests_on"] for each in decision["checks"] if "rests_on" in each]
    assert rests == [[named]]
    last = (await registry.states(household_id))[-1]
    assert (last[0], last[2].episodes[-1].number) == ("returned", 2)


async def test_a_return_needs_no_sign(office: Office) -> None:
    household_id = await office.struck_off()

    assert (await take_back(office, household_id)).status_code == 200


async def test_a_file_that_closes_has_nothing_left_to_check(office: Office) -> None:
    household_id = await office.struck_off()
    check_id = await opened(office, household_id)

    await office.decide(household_id, "close", decided_on="2026-04-01", ground="moved_out")

    (check,) = [each for each in await listed(office) if each["return_check_id"] == check_id]
    assert (check["outcome"], check["closed_on"]) == ("file_closed", "2026-04-01")


async def test_of_a_return_and_a_dismissal_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    household_id = await office.struck_off()
    check_id = await opened(office, household_id)
    other = await office_of(officer="o2")

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [
            asyncio.ensure_future(take_back(office, household_id, return_check_id=check_id)),
            asyncio.ensure_future(dismiss(other, check_id)),
        ]
    answers = await asyncio.gather(*both)

    (check,) = [each for each in await listed(office) if each["return_check_id"] == check_id]
    passed = [answer.status_code == 200 for answer in answers]
    assert sorted(passed) == [False, True]
    assert check["outcome"] == ("returned" if passed[0] else "dismissed")


async def test_a_sign_that_comes_during_a_lift_finds_the_household_lifted(
    registry: Registry, office: Office, postgres: str
) -> None:
    household_id = await office.long_identified()
    await office.ready_to_lift(household_id)

    async def hear() -> None:
        async with registry.worker.transaction() as session:
            await on_hardships(session, [hardship_event(household_id=household_id)])

    async with registry.held_back(postgres, household_id, waiting=2):
        lift = asyncio.ensure_future(
            office.client.post(
                f"/v1/households/{household_id}/lift", json={"decided_on": "2025-08-01"}
            )
        )
        await registry.until_waiting(postgres, 1)
        heard = asyncio.ensure_future(hear())
    answer, _ = await asyncio.gather(lift, heard)

    assert answer.status_code == 200, answer.text
    found = [each for each in await listed(office) if each["household_id"] == household_id]
    assert len(found) == 1
