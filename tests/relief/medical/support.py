"""Settlement files handed in the way an insurer does, and what came of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import orjson

from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from shared.identity import new_id
from tests.relief.support import rows, run_jobs

NDJSON = {"Content-Type": "application/x-ndjson"}
ASSISTED = (
    "SELECT * FROM events WHERE type = 'bangfu.household.assisted.v1'"
    " AND data LIKE '%medical_assistance%' ORDER BY id"
).replace("data LIKE", "convert_from(data, 'UTF8') LIKE")


def line(person: UUID | HouseholdState, **changes: Any) -> dict[str, Any]:
    """The bill of R20's example, of the household's head or of a person, of a month ago."""
    who = person.head_person_id if isinstance(person, HouseholdState) else person
    known = {
        "settlement_no": f"S-{new_id()}",
        "person_id": str(who),
        "discharged_on": (clock.today() - timedelta(days=30)).isoformat(),
        "cost": "60000",
        "off_list": "5000",
        "basic_paid": "30000",
        "critical_paid": "8000",
        "other_paid": "0",
    }
    return known | changes


def only(person: UUID | HouseholdState, base: str, **changes: Any) -> dict[str, Any]:
    """A bill that leaves just this in scope."""
    nothing = dict.fromkeys(("off_list", "basic_paid", "critical_paid", "other_paid"), "0")
    return line(person, cost=base, **nothing | changes)


def borne_wholly(person: UUID | HouseholdState, amount: str, **changes: Any) -> dict[str, Any]:
    """A bill with more off the list than in scope: most of it stays with the household."""
    off_list = str(Decimal(amount) * 2 / 3)
    return only(person, amount, off_list=off_list, **changes)


async def send(client: httpx.AsyncClient, *lines: dict[str, Any] | bytes) -> dict[str, Any]:
    """Hand a file in; gives the verdicts."""
    raw = [each if isinstance(each, bytes) else orjson.dumps(each) for each in lines]
    answer = await client.post("/v1/medical-settlements", content=b"\n".join(raw), headers=NDJSON)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def settle(
    client: httpx.AsyncClient, worker: Database, *lines: dict[str, Any]
) -> dict[str, Any]:
    """Hand a file in whose lines are all good, and let it be decided on."""
    told = await send(client, *lines)
    assert told["counts"]["refused"] == 0, told
    assert {job["state"] for job in await run_jobs(worker)} <= {"succeeded"}
    return told


async def grants(worker: Database) -> list[dict[str, Any]]:
    """Every decision, in the order in which they were taken."""
    return await rows(worker, "SELECT * FROM medical_grants ORDER BY grant_id")


async def totals(worker: Database) -> dict[str, Decimal]:
    """What each settlement is owed, by its number: the sum of its decisions."""
    found = await rows(
        worker,
        "SELECT settlement_no, sum(amount) AS amount FROM medical_grants"
        " JOIN medical_settlements USING (settlement_id) GROUP BY settlement_no",
    )
    return {row["settlement_no"]: row["amount"] for row in found}


async def years(worker: Database) -> list[tuple[Decimal, Decimal]]:
    """What every person's year comes to and may come to."""
    found = await rows(worker, "SELECT granted, cap FROM medical_person_years ORDER BY person_id")
    return [(row["granted"], row["cap"]) for row in found]


async def told(worker: Database) -> list[dict[str, Any]]:
    """The payloads of all amounts that were announced."""
    return [orjson.loads(row["data"]) for row in await rows(worker, ASSISTED)]
