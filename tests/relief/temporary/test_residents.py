"""Households that relief has no copy of: the registry says whose their people are, or that it has
none (C18, C61).
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from shared.contracts.notices import NOTICE_REQUESTED
from shared.identity import new_id
from tests.registry.filing import person
from tests.relief.support import ASSISTED, rows
from tests.relief.temporary.conftest import OfficerOf
from tests.relief.temporary.desk import AT, Desk, one, today
from tests.support.databases import Databases
from tests.support.real_registry import RealRegistry, issuing, registry_at_home
from tests.support.services import Surroundings

VILLAGE = "331124002221"


@pytest.fixture(scope="module")
async def registry_home(
    databases: Databases,
    surroundings: Surroundings,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RealRegistry]:
    """One registry a module; it answers to nobody yet."""
    async with (
        issuing(tmp_path_factory.mktemp("issuer")) as url,
        registry_at_home(databases, surroundings, url) as home,
    ):
        yield home


@pytest.fixture
async def registry(registry_home: RealRegistry) -> AsyncIterator[RealRegistry]:
    """A registry that answers."""
    await registry_home.start()
    yield registry_home
    await registry_home.stop()


@pytest.fixture
async def clerk(officer_of: OfficerOf, registry_home: RealRegistry) -> httpx.AsyncClient:
    """An officer of a relief that may ask the registry."""
    settings = {
        "registry_url": registry_home.url,
        "token_url": f"{registry_home.issuer_url}/token",
    }
    return await officer_of("o1", settings=settings)


def asked(file: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An application of a file of the registry, for all its people."""
    people = [each["person_id"] for each in file["members"]]
    return {
        "household_id": file["household_id"],
        "division_code": VILLAGE,
        "kind": "urgent",
        "cause": "other",
        "person_ids": people,
        "applicant_person_id": people[0],
        "applicant_birth_date": "1980-05-17",
        "happened_on": today(),
        "applied_on": today(),
        "words": "外出务工途中遇困",
    } | changes


async def test_a_household_in_no_category_is_helped(
    desk: Desk, registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person(), person("spouse"), category=None)
    taken = await clerk.post(f"{AT}/applications", json=asked(file))
    assert taken.status_code == 201, taken.text
    found = taken.json()
    assert (found["known"], found["recipient"]) == (False, False)
    assert found["division_code"] == VILLAGE
    body = one() | {"stages": [{"form": "cash", "amount": "2400.00", "due_on": today()}]}
    path = f"/applications/{found['application_id']}"
    await desk.post("o4", f"{path}/county-approval", body)
    (event,) = await rows(desk.worker, ASSISTED)
    assert orjson.loads(event["data"])["household_id"] == file["household_id"]
    (line,) = await registry.readings(file["members"][0]["person_id"])
    assert (line["officer_id"], line["why"]) == (None, "temporary-assistance")


async def test_its_notice_is_of_no_episode(
    desk: Desk, registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person(), category=None)
    taken = await clerk.post(f"{AT}/applications", json=asked(file, kind="expenditure"))
    path = f"/applications/{taken.json()['application_id']}"
    await desk.post("o2", f"{path}/checks", {"checked_on": today(), "words": "属实"})
    opinion = {"favourable": True, "factor": "3", "words": "同意"}
    await desk.post("o3", f"{path}/opinion", opinion)
    (event,) = await desk.events(NOTICE_REQUESTED)
    told = orjson.loads(event["data"])
    assert (told["category"], told["episode"], told["n"]) == (None, 0, 1)
    assert told["applicant_birth_date"] == "1980-05-17"


async def test_what_the_registry_does_not_know_is_refused_in_words(
    desk: Desk, registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file, other = await registry.file(person()), await registry.file(person())
    stranger = str(new_id())
    for changes, where in (
        ({"household_id": stranger}, ["#/person_ids/0", "#/applicant_person_id"]),
        ({"applicant_person_id": stranger}, ["#/applicant_person_id"]),
        (
            {"person_ids": [*asked(file)["person_ids"], other["members"][0]["person_id"]]},
            ["#/person_ids/1"],
        ),
        ({"division_code": "331124212203"}, ["#/person_ids/0", "#/applicant_person_id"]),
    ):
        answer = await clerk.post(f"{AT}/applications", json=asked(file, **changes))
        found = answer.json()
        assert (answer.status_code, found["code"]) == (422, "household_unknown"), found
        assert [fault["where"] for fault in found["errors"]] == where
        assert "先在登记库建档" in found["errors"][0]["message"]
    assert await rows(desk.worker, "SELECT 1 FROM temporary_applications") == []


async def test_without_its_village_or_outside_one_s_own_nobody_is_asked_for(
    registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person())
    for division in (None, "331102001001"):
        body = asked(file, division_code=division)
        answer = await clerk.post(f"{AT}/applications", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "division_missing")
    assert await registry.readings(file["members"][0]["person_id"]) == []


async def test_its_people_are_named_or_nobody_is_asked_for(
    registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person())
    nobody = asked(file, person_ids=None, applicant_person_id=None, division_code=None)
    answer = await clerk.post(f"{AT}/applications", json=nobody)
    assert [(fault["where"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("#/division_code", "division_missing"),
        ("#/person_ids", "people_missing"),
        ("#/applicant_person_id", "people_missing"),
    ]


async def test_while_the_registry_is_down_it_may_be_sent_again(
    desk: Desk, registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person())
    body, key = asked(file), {"Idempotency-Key": "the-same-request"}
    await registry.stop()
    down = await clerk.post(f"{AT}/applications", json=body, headers=key)
    assert (down.status_code, down.json()["code"]) == (503, "registry_down")
    await registry.start()
    taken = await clerk.post(f"{AT}/applications", json=body, headers=key)
    assert taken.status_code == 201, taken.text
    again = await clerk.post(f"{AT}/applications", json=body, headers=key)
    assert again.json()["application_id"] == taken.json()["application_id"]
    assert len(await rows(desk.worker, "SELECT 1 FROM temporary_applications")) == 1


async def test_a_relief_that_cannot_ask_says_whom_to_tell(
    desk: Desk, registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person())
    answer = await desk.people["o1"].post(f"{AT}/applications", json=asked(file))
    assert (answer.status_code, answer.json()["code"]) == (503, "registry_refuses")
    assert "registry_not_configured" in answer.json()["detail"]
    assert "operators" in answer.json()["detail"]


async def test_an_applicant_s_age_is_told_where_relief_does_not_know_it(
    registry: RealRegistry, clerk: httpx.AsyncClient
) -> None:
    file = await registry.file(person())
    answer = await clerk.post(f"{AT}/applications", json=asked(file, applicant_birth_date=None))
    assert (answer.status_code, answer.json()["code"]) == (422, "birth_date_missing")
