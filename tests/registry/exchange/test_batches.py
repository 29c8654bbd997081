"""A partner's batch: a verdict a line, each carried out once, nothing of another county."""

import asyncio
from typing import Any

import httpx
import orjson

from tests.registry.conftest import OfficeOf
from tests.registry.filing import OTHER_COUNTY, Office, Registry, number, person, problem
from tests.registry.told import VILLAGE

READ, WRITE = "registry.exchange:read", "registry.exchange:write"


def line(at: int, *members: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A household as a partner sends it: a head alone unless members are given."""
    return {
        "line": at,
        "division_code": VILLAGE,
        "category": "dibao",
        "incomes": {"wage": "6000"},
        "members": list(members) or [person()],
    } | given


async def push(gateway: Office, batch: str, *lines: dict[str, Any] | bytes) -> httpx.Response:
    body = b"\n".join(each if isinstance(each, bytes) else orjson.dumps(each) for each in lines)
    where = f"/v1/exchange/batches/{batch}"
    headers = {"Content-Type": "application/x-ndjson"}
    return await gateway.client.post(where, content=body, headers=headers)


async def verdicts(gateway: Office, batch: str, *lines: dict[str, Any] | bytes) -> list[Any]:
    answer = await push(gateway, batch, *lines)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["lines"])


def short(told: list[Any]) -> list[tuple[str, bool, list[str]]]:
    return [
        (each["verdict"], each["repeated"], [fault["code"] for fault in each["faults"]])
        for each in told
    ]


async def test_lines_are_admitted_changed_and_unchanged(
    registry: Registry, office_of: OfficeOf
) -> None:
    gateway = await office_of(f"{READ} {WRITE}")
    who, child = person(), person("son")

    (first,) = await verdicts(gateway, "2026-01", line(1, who))
    (again,) = await verdicts(gateway, "2026-02", line(1, who))
    (more,) = await verdicts(gateway, "2026-03", line(1, who, child, incomes={"wage": "7000.50"}))

    assert [each["verdict"] for each in (first, again, more)] == [
        "admitted",
        "unchanged",
        "changed",
    ]
    household_id = first["household_id"]
    assert {again["household_id"], more["household_id"]} == {household_id}
    kinds = [(kind, version) for kind, version, _ in await registry.states(household_id)]
    assert kinds == [("identified", 1), ("changed", 2)]
    (_, _, state) = (await registry.states(household_id))[-1]
    assert (state.n, str(state.incomes.wage)) == (2, "7000.50")


async def test_a_batch_changes_nothing_that_another_bureau_keeps(
    registry: Registry, office_of: OfficeOf
) -> None:
    civil = await office_of(f"{READ} {WRITE} registry.sources:read", bureau="civil-affairs")
    poverty = await office_of(f"{READ} {WRITE}", bureau="poverty-alleviation", officer="p1")
    who = person()
    (filed,) = await verdicts(civil, "s-1", line(1, who))

    (told,) = await verdicts(poverty, "s-2", line(1, who, incomes={"wage": "1"}, house_grade="C"))

    assert short([told]) == [("changed", False, ["source_conflict"])]
    (_, _, state) = (await registry.states(filed["household_id"]))[-1]
    assert (str(state.incomes.wage), state.house_grade) == ("6000.00", "C")
    (conflict,) = (await civil.client.get("/v1/source-conflicts")).json()["items"]
    assert (conflict["household_id"], conflict["origin"], conflict["bureau"]) == (
        filed["household_id"],
        "batch",
        "poverty-alleviation",
    )


async def test_a_bad_line_stops_no_other_and_may_be_mended(office_of: OfficeOf) -> None:
    gateway = await office_of(f"{READ} {WRITE}")
    lines = (
        line(1),
        b'{"line": 2, "members": []',
        line(3, person(), person()),
        line(4, person(id_number="33112419860522271X")),
        line(5, division_code=OTHER_COUNTY),
        line(6, incomes={"wage": "-1"}),
        line(7, unknown="x"),
        line(8),
    )

    told = await verdicts(gateway, "b", *lines)
    mended = await verdicts(gateway, "b", line(3))

    assert short(told) == [
        ("admitted", False, []),
        ("refused", False, ["line_invalid"]),
        ("refused", False, ["head_twice"]),
        ("refused", False, ["id_number_checksum"]),
        ("refused", False, ["division_not_yours"]),
        ("refused", False, ["amount_negative"]),
        ("refused", False, ["line_invalid"]),
        ("admitted", False, []),
    ]
    assert told[3]["faults"][0]["where"] == "#/members/0/id_number"
    assert short(mended) == [("admitted", False, [])]


async def test_sent_again_it_changes_nothing(registry: Registry, office_of: OfficeOf) -> None:
    gateway = await office_of(f"{READ} {WRITE}")
    one, two = line(1), line(2)
    first = await verdicts(gateway, "again", one, two)
    before = await registry.counted("events", "outbox", "households", "batch_lines")

    second = await verdicts(gateway, "again", one, two)
    other = await verdicts(gateway, "again", line(1), two)
    twice = await verdicts(gateway, "twice", three := line(3), three)

    assert [each["household_id"] for each in second] == [each["household_id"] for each in first]
    assert short(second) == [("admitted", True, []), ("admitted", True, [])]
    assert short(other) == [("refused", False, ["line_reused"]), ("admitted", True, [])]
    assert short(twice) == [("admitted", False, []), ("refused", False, ["line_reused"])]
    after = await registry.counted("events", "outbox", "households", "batch_lines")
    assert {name: after[name] - before[name] for name in after} == dict.fromkeys(after, 1)


async def test_of_two_sendings_at_once_one_carries_it_out(
    registry: Registry, office_of: OfficeOf
) -> None:
    gateway = await office_of(f"{READ} {WRITE}")
    lines = [line(at) for at in range(1, 6)]

    both = await asyncio.gather(*(verdicts(gateway, "race", *lines) for _ in range(2)))

    assert sorted(told[0]["repeated"] for told in both) == [False, True]
    for at in range(5):
        assert len({told[at]["household_id"] for told in both}) == 1
        assert len(await registry.states(both[0][at]["household_id"])) == 1


async def test_another_partners_batch_is_another(office_of: OfficeOf) -> None:
    one, other = await office_of(WRITE, sub="p1"), await office_of(WRITE, sub="p2")
    body = line(1)

    (first,) = await verdicts(one, "same", body)
    (second,) = await verdicts(other, "same", body)

    assert (first["verdict"], second["verdict"]) == ("admitted", "unchanged")
    assert second["repeated"] is False


async def test_people_of_two_files_and_the_dead_are_refused_by_place(
    office: Office, office_of: OfficeOf
) -> None:
    gateway = await office_of(f"{READ} {WRITE}")
    here, there = number(), number()
    await office.identified(person(id_number=here))
    await office.identified(person(id_number=there))

    (told,) = await verdicts(
        gateway, "two", line(1, person(id_number=here), person("son", id_number=there))
    )

    assert {(each["where"], each["code"]) for each in told["faults"]} == {
        ("#/members/0/id_number", "people_of_two_households"),
        ("#/members/1/id_number", "people_of_two_households"),
    }


async def test_without_an_officer_nobody_is_identified(office_of: OfficeOf) -> None:
    service = await office_of(WRITE, officer=None)

    (told,) = await verdicts(service, "nobody", line(1))

    assert (told["verdict"], [each["code"] for each in told["faults"]]) == (
        "refused",
        ["officer_missing"],
    )


async def test_it_takes_its_scope_and_no_more_than_it_can_do_at_once(
    office: Office, office_of: OfficeOf
) -> None:
    gateway = await office_of(WRITE)

    problem(await push(office, "b", line(1)), 403, "scope_missing")
    problem(await push(gateway, "long", *([b"{}"] * 501)), 413, "batch_too_long")
    problem(await push(gateway, "bad name"), 422, "request_invalid")
