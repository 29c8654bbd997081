"""A partner's daily file: a verdict a line, each line once, nothing of a bad line written."""

import asyncio
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.medical import lines
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.relief.medical.support import NDJSON, grants, line, send, settle, told
from tests.relief.support import COUNTY, SCOPES, receive, rows, run_jobs
from tests.support.builders import household, member


async def stored(worker: Database) -> list[dict[str, Any]]:
    return await rows(worker, "SELECT * FROM medical_settlements ORDER BY settlement_no")


def verdicts(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["result"], [one["code"] for one in each["faults"]]) for each in answer["lines"]]


async def test_a_file_is_stored_decided_and_told(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state)
    answer = await settle(client, worker, line(state, settlement_no="A1"))
    assert answer["counts"] == {"stored": 1, "unchanged": 0, "refused": 0}
    (grant,) = await grants(worker)
    assert (str(grant["amount"]), grant["category"], grant["number"]) == ("11900.00", "dibao", 1)
    (event,) = await told(worker)
    assert event == {
        "assistance_id": str(grant["grant_id"]),
        "household_id": str(state.household_id),
        "person_ids": [str(state.head_person_id)],
        "programme": "medical_assistance",
        "status": "approved",
        "amount": "11900.00",
        "fund": "medical_assistance",
        "month": grant["month"].isoformat(),
        "granted_on": grant["decided_on"].isoformat(),
    }
    audited = await rows(
        worker, "SELECT action, subject_id FROM audit_log WHERE action LIKE 'medical%'"
    )
    assert {row["action"] for row in audited} == {"medical_settlements.received", "medical.decided"}


async def test_each_line_has_a_verdict_of_its_own(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, worker: Database
) -> None:
    here, there = household(), household(division_code="331102001001")
    await receive(worker, here, there)
    answer = await send(
        client,
        line(here, settlement_no="A1"),
        line(here, settlement_no="A2", cost="60000.123"),
        line(here, settlement_no="A3", basic_paid="-1"),
        line(here, settlement_no="A4", basic_paid="60000"),
        line(here, settlement_no="A5", discharged_on="2999-01-01"),
        line(new_id(), settlement_no="A6"),
        line(there, settlement_no="A7"),
        b"{not json",
        line(here, settlement_no="A1", cost="61000"),
        line(here, settlement_no="A8"),
    )
    assert verdicts(answer) == [
        ("stored", []),
        ("refused", ["line_invalid"]),
        ("refused", ["line_invalid"]),
        ("refused", ["payouts_above_cost"]),
        ("refused", ["discharge_to_come"]),
        ("refused", ["person_unknown"]),
        ("refused", ["person_unknown"]),
        ("refused", ["line_invalid"]),
        ("refused", ["settlement_number_reused"]),
        ("stored", []),
    ]
    assert [each["at"] for each in answer["lines"]] == list(range(1, 11))
    assert [row["settlement_no"] for row in await stored(worker)] == ["A1", "A8"]
    theirs = await send(neighbour, line(there, settlement_no="A7"))
    assert verdicts(theirs) == [("stored", [])]


async def test_sent_again_it_is_unchanged_and_nothing_is_decided_again(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state)
    mine = line(state, settlement_no="A1")
    first = await settle(client, worker, mine, mine)
    assert verdicts(first) == [("stored", []), ("unchanged", [])]
    before = (await grants(worker), await told(worker))
    again = await settle(client, worker, mine | {"cost": "60000.00"})
    assert (verdicts(again), again["job_id"]) == ([("unchanged", [])], None)
    assert again["lines"][0]["settlement_id"] == first["lines"][0]["settlement_id"]
    other = await send(client, mine | {"cost": "60000.01"})
    assert verdicts(other) == [("refused", ["settlement_number_reused"])]
    assert (await grants(worker), await told(worker)) == before


async def test_a_refused_line_may_be_mended_and_sent_again(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Somebody whom the registry told of only later."""
    state = household()
    mine = line(state, settlement_no="A1")
    assert verdicts(await send(client, mine)) == [("refused", ["person_unknown"])]
    await receive(worker, state)
    assert verdicts(await settle(client, worker, mine)) == [("stored", [])]


async def test_two_partners_number_for_themselves(
    client: httpx.AsyncClient,
    relief: ServiceDatabase,
    client_of: ClientOf,
    worker: Database,
) -> None:
    other = await client_of(
        "relief",
        relief,
        scopes="relief.settlements:write",
        divisions=(COUNTY,),
        sub="system:hospital-2",
    )
    state = household()
    await receive(worker, state)
    for partner in (client, other):
        answer = await send(partner, line(state, settlement_no="A1"))
        assert verdicts(answer) == [("stored", [])]
    assert len(await stored(worker)) == 2


async def test_a_number_taken_in_another_county_stays_taken(
    client: httpx.AsyncClient,
    relief: ServiceDatabase,
    client_of: ClientOf,
    worker: Database,
) -> None:
    """The same partner with a token for another county: it cannot even see its own line here."""
    there = await client_of("relief", relief, scopes=SCOPES, officer="o1", divisions=("331102",))
    mover = member()
    await receive(worker, household(members=[mover], division_code="331102001001"))
    mine = line(mover.person_id, settlement_no="A1")
    assert verdicts(await send(there, mine)) == [("stored", [])]
    await receive(worker, household(members=[mover]))
    assert verdicts(await send(client, mine)) == [("refused", ["settlement_number_taken"])]


async def test_two_files_at_once_store_a_settlement_once(
    client: httpx.AsyncClient, worker: Database
) -> None:
    states = [household() for _ in range(20)]
    await receive(worker, *states)
    mine = [line(state) for state in states]
    answers = await asyncio.gather(send(client, *mine), send(client, *reversed(mine)))
    assert sum(answer["counts"]["stored"] for answer in answers) == 20
    assert sum(answer["counts"]["unchanged"] for answer in answers) == 20
    await run_jobs(worker)
    assert len(await grants(worker)) == 20


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "file_empty"),
        (b"\n\n", 422, "file_empty"),
        (b"{}\n" * (lines.MOST_LINES + 1), 413, "file_too_long"),
        (b" " * (lines.MOST_BYTES + 1), 413, "body_too_large"),
    ],
)
async def test_a_file_out_of_bounds_is_refused_whole(
    client: httpx.AsyncClient, content: bytes, status: int, code: str
) -> None:
    answer = await client.post("/v1/medical-settlements", content=content, headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_it_takes_the_partner_s_own_right(
    relief: ServiceDatabase, client_of: ClientOf
) -> None:
    reader = await client_of(
        "relief", relief, scopes="relief.medical:read relief.medical:write", divisions=(COUNTY,)
    )
    answer = await reader.post("/v1/medical-settlements", content=b"{}", headers=NDJSON)
    assert answer.status_code == 403
