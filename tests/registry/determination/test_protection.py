"""What the database itself refuses: another county's looks, moves out of sight, second thoughts."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.registry.determination.casework import Casework
from tests.registry.filing import OTHER_COUNTY, Registry

TABLES = (
    "applications",
    "application_papers",
    "application_declarations",
    "application_surveys",
    "survey_signatures",
    "application_appraisals",
    "application_opinions",
    "application_decisions",
    "staff_relatives",
)
"""Every table of this capability."""


@pytest.fixture
async def decided(casework: Casework) -> dict[str, Any]:
    """A refused application with something in every table."""
    application = await casework.surveyed(await casework.accepted())
    head = (await casework.county.read(application["household_id"]))["head_person_id"]
    filing = {
        "person_id": head,
        "kind": "village_committee",
        "position": "村委会委员",
        "relation": "兄弟",
        "registered_on": "2026-01-05",
    }
    await casework.county.client.post("/v1/staff-relatives", json=filing)
    declared: dict[str, Any] = {"declared_on": "2026-01-08", "declaration": {}}
    application = await casework.step(application, "declaration", **declared)
    appraisal: dict[str, Any] = {
        "participants": 3,
        "villagers": 3,
        "in_favour": 3,
        "minutes": "同意",
    }
    application = await casework.step(application, "appraisal", held_on="2026-01-08", **appraisal)
    application = await casework.opined(application, in_favour=False)
    refusal: dict[str, Any] = {"decided_on": "2026-01-20", "reason": "x", "failed_tests": ["x"]}
    return await casework.step(application, "refuse", by=casework.county, **refusal)


async def test_nothing_is_seen_from_elsewhere_or_moved_out_of_sight(
    registry: Registry, decided: dict[str, Any]
) -> None:
    for table in TABLES:
        count = text(f"SELECT count(*) FROM {table}")  # noqa: S608 (our own)
        seen = {}
        for place in ("331124", "331121"):
            async with registry.api.transaction(divisions=(place,)) as session:
                seen[place] = await session.scalar(count)
        assert seen["331124"] > 0, table
        assert seen["331121"] == 0, table
        move = text(f"UPDATE {table} SET division_code = '{OTHER_COUNTY}'")  # noqa: S608 (our own)
        with pytest.raises(Exception, match="row-level security"):
            async with registry.api.transaction(divisions=("331124",)) as session:
                await session.execute(move)


@pytest.mark.parametrize(
    "order",
    [
        *(f"DELETE FROM {table}" for table in TABLES),  # noqa: S608 (our own)
        "UPDATE application_papers SET reference = ''",
        "UPDATE application_declarations SET declaration = '{}'",
        "UPDATE application_surveys SET findings = ''",
        "UPDATE survey_signatures SET officer_id = 'o2'",
        "UPDATE application_appraisals SET minutes = ''",
        "UPDATE application_opinions SET in_favour = true",
        "UPDATE application_decisions SET outcome = 'identified'",
        "UPDATE application_decisions SET reason = ''",
    ],
)
async def test_what_was_found_and_decided_is_never_rewritten(
    registry: Registry, order: str
) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with registry.api.transaction(divisions=("331124",)) as session:
            await session.execute(text(order))
