"""Late files of a source: matched by case number and person, each question answered once."""

from typing import Any

import httpx
import orjson
import pytest

from deploy.local.sources import Way
from services.registry.verification.sources import Source
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, VERIFY, Registry, problem
from tests.registry.verification.conftest import Desk, Loner
from tests.registry.verification.sources import Sources, number_of

BY_FILE = (Way.BY_FILE, True)
ROUTE = "/v1/verification-files"


async def hand_in(desk: Desk, content: bytes, source: str = "bank") -> httpx.Response:
    return await desk.office.client.post(
        ROUTE, params={"source": source}, files={"file": ("late.ndjson", content)}
    )


def line(made: dict[str, Any], id_number: str, **more: Any) -> bytes:
    said = {"case_number": made["verification_id"], "id_number": id_number}
    known = {"status": "answered", "data": {"over_limit": True}}
    return orjson.dumps(said | known | more) + b"\n"


@pytest.fixture
async def late(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner
) -> tuple[dict[str, Any], str]:
    """A verification whose bank answers by file only, and the ID number asked about."""
    id_number = number_of(bank=BY_FILE)
    household_id = await loner(id_number)
    made = await desk.asked(household_id, sources=["bank"])
    await sources.rounds(registry)
    assert [each["state"] for each in (await desk.shown(made))["items"]] == ["not_returned"]
    return made, id_number


async def test_next_months_file_of_the_source_is_taken_once(
    registry: Registry, sources: Sources, desk: Desk, late: tuple[dict[str, Any], str]
) -> None:
    made, _ = late
    content = await sources.file_of(Source.BANK)

    first = await hand_in(desk, content)
    again = await hand_in(desk, content)

    assert first.status_code == 200, first.text
    assert (first.json()["stored"], first.json()["refusals"]) == (1, [])
    assert (again.json()["stored"], again.json()["unchanged"]) == (0, again.json()["lines"])
    assert [each["state"] for each in (await desk.shown(made))["items"]] == ["answered"]
    kinds = await registry.rows(
        "SELECT kind FROM verification_doubts WHERE verification_id = :id",
        id=made["verification_id"],
    )
    assert len(kinds) <= 1


async def test_a_line_names_why_it_is_not_taken(
    desk: Desk, late: tuple[dict[str, Any], str]
) -> None:
    made, id_number = late
    content = (
        b"{\n"
        + line(made, number_of())
        + line({"verification_id": made["household_id"]}, id_number)
        + line(made, id_number)
        + line(made, id_number)
        + line(made, id_number, data={"over_limit": False})
    )

    answer = (await hand_in(desk, content)).json()

    assert (answer["lines"], answer["stored"], answer["unchanged"]) == (6, 1, 1)
    assert [(each["line"], each["code"]) for each in answer["refusals"]] == [
        (1, "line_unreadable"),
        (2, "person_not_in_case"),
        (3, "person_not_in_case"),
        (6, "line_repeated"),
    ]
    other = line(made, id_number, data={"over_limit": False})
    assert (await hand_in(desk, other)).json()["refusals"] == [
        {"line": 1, "code": "already_answered"}
    ]


async def test_a_wrong_line_fails_its_question(
    desk: Desk, late: tuple[dict[str, Any], str]
) -> None:
    made, id_number = late

    answer = (await hand_in(desk, line(made, id_number, data={"x": 1}))).json()

    assert (answer["stored"], answer["refusals"]) == (
        0,
        [{"line": 1, "code": "answer_malformed"}],
    )
    (item,) = (await desk.shown(made))["items"]
    assert (item["state"], item["failure"]) == ("failed", "answer_malformed")


async def test_nothing_is_taken_after_a_revocation_or_before_it_was_asked(
    desk: Desk, loner: Loner, late: tuple[dict[str, Any], str]
) -> None:
    made, id_number = late
    where = f"/v1/households/{made['household_id']}/authorizations"
    (signed,) = (await desk.office.client.get(where)).json()
    revoke = f"{where}/{signed['authorization_id']}/revoke"
    await desk.office.client.post(revoke, json={"reason": "撤回"})
    other = number_of(bank=BY_FILE)
    unsent = await desk.asked(await loner(other), sources=["bank"])

    answer = (await hand_in(desk, line(made, id_number) + line(unsent, other))).json()

    codes = [each["code"] for each in answer["refusals"]]
    assert codes == ["authorization_not_live", "never_asked"]


async def test_another_county_reaches_none_of_it(
    desk: Desk, office_of: OfficeOf, late: tuple[dict[str, Any], str]
) -> None:
    made, id_number = late
    neighbours = Desk(await office_of(f"{ALL} {VERIFY}", divisions=("331121",), officer="o9"))

    answer = (await hand_in(neighbours, line(made, id_number))).json()

    assert [each["code"] for each in answer["refusals"]] == ["person_not_in_case"]
    problem(await hand_in(desk, b"\n"), 422, "file_empty")
    assert clock.today().isoformat() in (await desk.shown(made))["requested_on"]
