"""Education's parameters: entered by one officer, approved by another, and the sample's of them."""

import json
from datetime import date
from pathlib import Path

import httpx

from deploy.local.provision import ServiceDatabase
from services.education.standards.definitions import DEFINITIONS
from services.education.standards.queries import in_force
from shared.db import Database
from tests.education.support import AMOUNTS, COUNTY, STEPS, set_value
from tests.support.places import load_divisions

SAMPLE = Path(__file__).parents[3] / "deploy" / "sample" / "parameters.json"


async def test_a_value_takes_two_officers(
    education: ServiceDatabase, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    await load_divisions(education)
    entry = {
        "key": "edu.grant.senior",
        "division_code": COUNTY,
        "valid_from": "2027-01-01",
        "value": "2000.00",
        "document_number": "丽教〔2026〕1号",
    }
    entered = (await client.post("/v1/parameters", json=entry)).json()
    path = f"/v1/parameters/{entered['parameter_id']}/approve"
    assert (await client.post(path)).json()["code"] == "same_officer"
    assert (await colleague.post(path)).json()["approved_by"] == "o2"
    unknown = await client.post("/v1/parameters", json=entry | {"key": "edu.grant"})
    assert unknown.json()["code"] == "parameter_key_unknown"


def test_the_sample_has_every_key_within_its_bounds() -> None:
    sample = {
        entry["key"]: entry["value"]
        for entry in json.loads(SAMPLE.read_text())
        if entry["service"] == "education"
    }
    assert set(sample) == set(DEFINITIONS) == set(AMOUNTS) | set(STEPS)
    assert {key: float(value) for key, value in sample.items()} == {
        key: float(value) for key, value in (AMOUNTS | STEPS).items()
    }


async def test_the_nearest_value_that_has_begun_holds(worker: Database) -> None:
    key = "edu.grant.senior"
    await set_value(worker, key, "1000", division="331100")
    county = await set_value(worker, key, "2000", valid_from=date(2026, 9, 1), division=COUNTY)
    async with worker.transaction() as session:
        before = await in_force(session, [key], [COUNTY, "331102"], date(2026, 8, 31))
        after = await in_force(session, [key], [COUNTY, "331102"], date(2026, 9, 1))
    assert {place: int(value.value) for (_, place), value in before.items()} == {
        COUNTY: 1000,
        "331102": 1000,
    }
    assert after[key, COUNTY].parameter_id == county
    assert int(after[key, "331102"].value) == 1000
