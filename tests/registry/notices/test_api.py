"""Asking for notices and taking them back: what is stored, published, refused, and two at once."""

import asyncio
from datetime import date
from typing import Any

import pytest

from shared import clock
from shared.contracts.notices import NoticeOutcome, NoticeRequest
from tests.registry.conftest import OfficeOf
from tests.registry.filing import NEXT_VILLAGE, WRITTEN, Office, Registry, number, person, problem
from tests.registry.told import notice_event


async def published(registry: Registry, request_id: str) -> list[tuple[int, NoticeRequest]]:
    """The request as it was published, version by version."""
    rows = await registry.rows(
        "SELECT aggregate_version, data FROM events WHERE subject = :id "
        "AND topic = 'registry.notices' AND type = 'bangfu.notice.requested.v1' ORDER BY id",
        id=request_id,
    )
    return [
        (row["aggregate_version"], NoticeRequest.model_validate_json(row["data"])) for row in rows
    ]


async def ask(office: Office, household_id: str, **body: Any) -> Any:
    return await office.client.post(f"/v1/households/{household_id}/notices", json=body)


async def withdraw(office: Office, household_id: str, request_id: str, reason: str = "x") -> Any:
    where = f"/v1/households/{household_id}/notices/{request_id}/withdraw"
    return await office.client.post(where, json={"reason": reason})


async def test_a_notice_is_asked_for_and_told_without_a_name(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open(person(name="欧阳修"), person("spouse"), category=None)

    asked = await office.ask_notice(
        household_id, "identification", category="dibao", amount="1725.50"
    )

    head = (await office.read(household_id))["members"][0]
    ((version, told),) = await published(registry, asked["notice_request_id"])
    assert version == 1
    assert told.model_dump(mode="json") == {
        "notice_request_id": asked["notice_request_id"],
        "household_id": household_id,
        "kind": "identification",
        "division_code": "331124002221",
        "episode": 1,
        "category": "dibao",
        "n": 2,
        "amount": "1725.50",
        "applicant_person_id": head["person_id"],
        "applicant_birth_date": head["birth_date"],
        "requested_on": clock.today().isoformat(),
        "withdrawn": False,
    }
    shown = ("status", "outcome", "closed_on", "decidable_from", "requested_by", "version")
    assert [asked[name] for name in shown] == [None, None, None, None, "o1", 1]
    (event,) = await registry.rows(
        "SELECT key, source, data FROM events WHERE subject = :id", id=asked["notice_request_id"]
    )
    assert (event["key"], event["source"]) == (household_id, "/registry")
    assert "欧阳" not in event["data"].decode()
    assert ("notice.requested", "o1") in await registry.audited(household_id)


async def test_asking_changes_nothing_of_the_file(registry: Registry, office: Office) -> None:
    household_id = await office.identified()
    before = await office.read(household_id)
    known = await registry.states(household_id)

    await office.announce(household_id, "exit", closed_on="2026-03-01")

    after = await office.read(household_id)
    assert (after["version"], after["revision"]) == (before["version"], before["revision"])
    assert await registry.states(household_id) == known


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "lift"}, "transition_forbidden"),
        ({"kind": "exit"}, "transition_forbidden"),
        ({"kind": "identification", "applicant_person_id": "NOBODY"}, "applicant_unknown"),
        ({"kind": "identification", "applicant_person_id": "CHILD"}, "applicant_minor"),
        ({"kind": "identification", "amount": "-0.01"}, "request_invalid"),
        ({"kind": "identification", "amount": "0.001"}, "request_invalid"),
        ({"kind": "circular"}, "request_invalid"),
        ({}, "request_invalid"),
    ],
)
async def test_what_may_not_be_announced(
    registry: Registry, office: Office, body: dict[str, Any], code: str
) -> None:
    child = person("son", id_number=number(born=date(clock.today().year - 10, 5, 17)))
    household_id = await office.open(person(), child)
    ids = [member["person_id"] for member in (await office.read(household_id))["members"]]
    marks = {"CHILD": ids[1], "NOBODY": household_id}
    given = {name: marks.get(value, value) for name, value in body.items()}
    before = await registry.counted(*WRITTEN)

    answer = await ask(office, household_id, **given)

    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    assert await registry.counted(*WRITTEN) == before


async def test_one_notice_a_kind_is_open_at_a_time(registry: Registry, office: Office) -> None:
    household_id = await office.identified()
    lift = await office.ask_notice(household_id, "lift")

    again = await ask(office, household_id, kind="lift")
    other_kind = await ask(office, household_id, kind="exit")
    await registry.notified(notice_event(lift, posted_on=clock.today()))
    posted = await ask(office, household_id, kind="lift")

    problem(again, 409, "notice_open")
    assert other_kind.status_code == 201
    problem(posted, 409, "notice_open")


async def test_of_two_requests_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    household_id = await office.open()
    other = await office_of(officer="o2")

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [
            asyncio.ensure_future(ask(one, household_id, kind="identification"))
            for one in (office, other)
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    rows = await registry.rows(
        "SELECT 1 FROM notice_requests WHERE household_id = :id", id=household_id
    )
    assert len(rows) == 1


async def test_a_request_is_taken_back_once_and_with_a_reason(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open()
    asked = await office.ask_notice(household_id, "identification")
    request_id = asked["notice_request_id"]

    wordless = await withdraw(office, household_id, request_id, " ")
    done = await withdraw(office, household_id, request_id, "材料有误")
    twice = await withdraw(office, household_id, request_id)
    elsewhere = await withdraw(office, await office.open(), request_id)

    problem(wordless, 422, "reason_missing")
    assert done.status_code == 200, done.text
    assert done.json() | {"version": 2, "withdrawn_reason": "材料有误"} == done.json()
    problem(twice, 409, "notice_closed")
    problem(elsewhere, 404, "notice_not_found")
    told = await published(registry, request_id)
    assert [(version, each.withdrawn) for version, each in told] == [(1, False), (2, True)]
    assert told[0][1].model_copy(update={"withdrawn": True}) == told[1][1]
    assert (await registry.audited(household_id))[-1] == ("notice.withdrawn", "o1")
    late = await office.client.post(
        f"/v1/households/{household_id}/identify", json={"decided_on": "2026-03-01"}
    )
    problem(late, 422, "notice_missing")
    assert (await ask(office, household_id, kind="identification")).status_code == 201


async def test_an_ended_notice_is_not_taken_back(office: Office) -> None:
    household_id = await office.open()
    request_id = await office.announce(household_id, "identification", closed_on="2026-01-13")

    problem(await withdraw(office, household_id, request_id), 409, "notice_closed")


@pytest.mark.parametrize(
    ("move", "body"),
    [("refuse", {"reason": "不符合条件"}), ("close", {"ground": "moved_out"})],
)
async def test_a_file_that_ends_takes_its_notice_back(
    registry: Registry, office: Office, move: str, body: dict[str, Any]
) -> None:
    household_id = await office.open()
    request_id = (await office.ask_notice(household_id, "identification"))["notice_request_id"]

    await office.decide(household_id, move, decided_on="2026-02-01", **body)

    told = await published(registry, request_id)
    assert [(version, each.withdrawn) for version, each in told] == [(1, False), (2, True)]


async def test_a_household_struck_off_is_not_lifted_any_more(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    lift = (await office.ask_notice(household_id, "lift"))["notice_request_id"]
    exit_ = await office.announce(household_id, "exit", closed_on="2026-03-01")

    await office.decide(household_id, "exit", decided_on="2026-03-01", reason="自愿退出")

    assert [version for version, _ in await published(registry, lift)] == [1, 2]
    assert [version for version, _ in await published(registry, exit_)] == [1]


async def test_the_last_notice_asked_for_carries_the_decision(
    registry: Registry, office: Office
) -> None:
    household_id = await office.open()
    identify = f"/v1/households/{household_id}/identify"

    async def decided(on: str, **body: Any) -> Any:
        return await office.client.post(identify, json={"decided_on": on} | body)

    problem(await decided("2026-01-20"), 422, "notice_missing")
    await office.announce(
        household_id,
        "identification",
        closed_on="2026-01-13",
        outcome=NoticeOutcome.OBJECTION_UPHELD,
    )
    problem(await decided("2026-01-20"), 422, "notice_objection_upheld")
    asked = await office.ask_notice(household_id, "identification", category="tekun")
    problem(await decided("2026-01-20", category="tekun"), 422, "notice_not_closed")
    await registry.notified(
        notice_event(
            asked,
            status="closed",
            outcome="objections_dismissed",
            posted_on=date(2026, 1, 14),
            closed_on="2026-01-25",
            objections=1,
        )
    )
    early = problem(await decided("2026-01-24", category="tekun"), 422, "notice_not_closed")
    assert "2026-01-25" in early["errors"][0]["message"]
    problem(await decided("2026-01-25"), 422, "notice_for_another_category")
    assert (await decided("2026-01-25", category="tekun")).status_code == 200


async def test_the_notices_of_a_household_are_listed_page_by_page(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.identified()
    for day in ("2026-03-01", "2026-04-01"):
        await office.announce(household_id, "exit", closed_on=day)
    where = f"/v1/households/{household_id}/notices"

    first = (await office.client.get(where, params={"limit": 2})).json()
    rest = (await office.client.get(where, params={"cursor": first["next_cursor"]})).json()
    neighbours = await office_of(divisions=("331121",))

    shown = [
        (each["kind"], each["status"], each["outcome"], each["posted_on"], each["decidable_from"])
        for each in first["items"] + rest["items"]
    ]
    assert shown == [
        ("identification", "closed", "unopposed", "2026-01-02", "2026-01-10"),
        ("exit", "closed", "unopposed", "2026-02-21", "2026-03-01"),
        ("exit", "closed", "unopposed", "2026-03-24", "2026-04-01"),
    ]
    assert rest["next_cursor"] is None
    problem(await neighbours.client.get(where), 404, "household_not_found")
    assert (await registry.audited(household_id))[-1][0] == "household.notices_read"


async def test_a_household_that_moves_takes_its_papers_along(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    asked = await office.ask_notice(household_id, "lift")
    await registry.notified(notice_event(asked, posted_on=clock.today()))
    await registry.checked(household_id, "2026-02-01")
    sign = {"kind": "illness", "detected_on": "2026-02-01"}
    await office.client.post(f"/v1/households/{household_id}/hardships", json=sign)

    await office.read(household_id)
    await office.change(household_id, valid_from="2026-03-01", division_code=NEXT_VILLAGE)

    for table in ("notice_requests", "notices", "income_checks", "hardships"):
        rows = await registry.rows(
            f"SELECT DISTINCT division_code FROM {table} WHERE household_id = :id",  # noqa: S608 (own names)
            id=household_id,
        )
        assert rows == [{"division_code": NEXT_VILLAGE}], table


async def test_who_only_writes_cannot_ask_and_nobody_without_a_name(
    office: Office, office_of: OfficeOf
) -> None:
    household_id = await office.open()
    clerk = await office_of("registry.households:read registry.households:write")
    nobody = await office_of(officer=None)

    problem(await ask(clerk, household_id, kind="identification"), 403, "scope_missing")
    problem(await ask(nobody, household_id, kind="identification"), 422, "officer_missing")
