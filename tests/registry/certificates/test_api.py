"""Certificates over the API: issued, printed, replaced, outdated, taken back (R21)."""

import asyncio
from typing import Any

import httpx
import pytest

from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, NEXT_VILLAGE, Office, Registry, person, problem
from tests.registry.verification.conftest import changed

RIGHTS = "registry.certificates:read registry.certificates:write"
TODAY = clock.today().isoformat()
WHERE = "/v1/certificates"


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    return await office_of(f"{ALL} {RIGHTS}", officer="c1")


async def issue(desk: Office, household_id: str, ground: str = "first") -> httpx.Response:
    body = {"issued_on": TODAY, "ground": ground}
    return await desk.client.post(f"/v1/households/{household_id}/certificates", json=body)


async def issued(desk: Office, household_id: str, ground: str = "first") -> dict[str, Any]:
    answer = await issue(desk, household_id, ground)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def act(desk: Office, certificate: dict[str, Any], step: str, **body: Any) -> httpx.Response:
    where = f"{WHERE}/{certificate['certificate_id']}/{step}"
    return await desk.client.post(where, json=body)


async def test_a_certificate_bears_the_households_number_and_is_replaced_once_lost(
    desk: Office, registry: Registry
) -> None:
    household_id = await desk.identified()
    number = (await desk.read(household_id))["household_no"]

    first = await issued(desk, household_id)
    assert (first["number"], first["category"], first["holds"]) == (f"{number}-01", "dibao", True)
    problem(await issue(desk, household_id), 422, "certificate_stands")
    second = await issued(desk, household_id, "lost")

    where = f"/v1/households/{household_id}/certificates"
    one, two = (await desk.client.get(where)).json()
    assert (one["number"], one["ended_on"], one["end_reason"]) == (
        first["number"],
        TODAY,
        "换发新证",
    )
    assert (two["number"], two["holds"]) == (f"{number}-02", True)
    problem(await act(desk, first, "print"), 409, "certificate_ended")
    found = (await desk.client.get(WHERE, params={"number": second["number"]})).json()["items"]
    assert [each["certificate_id"] for each in found] == [second["certificate_id"]]
    assert ("certificate.issued", "c1") in await registry.audited(household_id)


async def test_the_page_names_everybody_to_who_may_see_names(
    desk: Office, registry: Registry, office_of: OfficeOf
) -> None:
    household_id = await desk.identified(
        person(name="欧阳<b>建国"), person("spouse", name="李秀英"), division_code=NEXT_VILLAGE
    )
    certificate = await issued(desk, household_id)
    masked = await act(desk, certificate, "print")
    plain = await act(await office_of(f"{RIGHTS} pii:read", officer="c2"), certificate, "print")

    assert masked.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in masked.headers["content-security-policy"]
    for words in ("最低生活保障证", certificate["number"], "户主", "配偶", "松阳县民政局"):
        assert words in masked.text
    assert "李秀英" not in masked.text
    assert "李秀英" in plain.text
    assert "欧阳&lt;b&gt;建国" in plain.text
    assert ("第1次打印" in masked.text, "第2次打印" in plain.text) == (True, True)
    shown = (await desk.client.get(WHERE, params={"number": certificate["number"]})).json()
    assert shown["items"][0]["print_count"] == 2


async def test_who_is_no_longer_what_it_says_gives_it_back(desk: Office) -> None:
    marginal, exits, stays = [await desk.identified(division_code=NEXT_VILLAGE) for _ in range(3)]
    certificates = {each: await issued(desk, each) for each in (marginal, exits, stays)}
    await desk.read(marginal)
    await desk.change(marginal, valid_from=TODAY, category="dibao_marginal")
    await desk.announce(exits, "exit", closed_on=TODAY)
    await desk.decide(exits, "exit", decided_on=TODAY, reason="自愿退出")

    async def outdated() -> set[str]:
        query: dict[str, str | bool] = {"division": NEXT_VILLAGE, "outdated": True}
        items = (await desk.client.get(WHERE, params=query)).json()["items"]
        return {each["household_id"] for each in items}

    assert {marginal, exits} <= await outdated()
    assert stays not in await outdated()
    problem(await act(desk, certificates[exits], "print"), 409, "certificate_outdated")
    problem(await issue(desk, exits, "changed"), 422, "no_certificate_of_kind")
    renewed = await issued(desk, marginal, "changed")
    assert renewed["category"] == "dibao_marginal"
    back = {"withdrawn_on": TODAY, "reason": "退出低保"}
    problem(
        await act(desk, certificates[exits], "withdraw", **(back | {"reason": " "})),
        422,
        "reason_missing",
    )
    taken = await act(desk, certificates[exits], "withdraw", **back)
    assert (taken.json()["ended_on"], taken.json()["ended_by"]) == (TODAY, "c1")
    assert not {marginal, exits} & await outdated()
    problem(await act(desk, certificates[exits], "withdraw", **back), 409, "certificate_ended")


async def test_one_of_an_earlier_stay_is_replaced_by_a_first_one(
    desk: Office, registry: Registry
) -> None:
    household_id = await desk.identified(division_code=NEXT_VILLAGE)
    old = await issued(desk, household_id)
    earlier = "UPDATE certificates SET issued_on = '2020-01-01' WHERE certificate_id = $1"
    await changed(registry, earlier, old["certificate_id"])
    query: dict[str, str | bool] = {"division": NEXT_VILLAGE, "outdated": True}
    listed = (await desk.client.get(WHERE, params=query)).json()["items"]
    assert old["certificate_id"] in {each["certificate_id"] for each in listed}
    problem(await issue(desk, household_id, "lost"), 422, "nothing_to_replace")

    new = await issued(desk, household_id)

    assert new["number"].endswith("-02")
    problem(await act(desk, old, "print"), 409, "certificate_ended")


async def test_of_two_who_issue_at_once_one_does(
    desk: Office, registry: Registry, postgres: str
) -> None:
    household_id = await desk.identified()
    async with registry.held_back(postgres, household_id, waiting=2):
        both = [asyncio.ensure_future(issue(desk, household_id)) for _ in range(2)]
    answers = await asyncio.gather(*both)
    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_it_follows_its_household_and_is_seen_in_its_county_alone(
    desk: Office, office_of: OfficeOf
) -> None:
    household_id = await desk.identified()
    certificate = await issued(desk, household_id)
    await desk.read(household_id)
    await desk.change(household_id, valid_from=TODAY, division_code=NEXT_VILLAGE)
    listed = (await desk.client.get(WHERE, params={"number": certificate["number"]})).json()
    assert [each["division_code"] for each in listed["items"]] == [NEXT_VILLAGE]

    there = await office_of(RIGHTS, officer="n1", divisions=("331121",))
    listed = (await there.client.get(WHERE, params={"number": certificate["number"]})).json()
    assert listed["items"] == []
    for step, body in (("print", {}), ("withdraw", {"withdrawn_on": TODAY, "reason": "x"})):
        problem(await act(there, certificate, step, **body), 404, "certificate_not_found")
    township = await office_of(RIGHTS, officer="t1", bureau="township")
    problem(await issue(township, household_id, "lost"), 422, "bureau_not_competent")
