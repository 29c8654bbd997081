"""Two officers at once at one renovation or one file: one wins, the other is told so."""

import asyncio
from collections.abc import Iterable

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.db import Database
from tests.housing.conftest import Renovated
from tests.housing.support import (
    apply_for,
    dweller,
    file_of,
    published,
    receive,
    record,
    regraded,
    rows,
)

pytestmark = pytest.mark.usefixtures("values")

_PAID_BY_ONE = """
    UPDATE renovations SET stage = 'paid', paid_by = accepted_by WHERE renovation_id = :id
"""
_SECOND_RENOVATION = """
    INSERT INTO renovations (renovation_id, file_id, household_id, division_code, method, disaster,
        category, stage, applied_on, revision, version)
    SELECT gen_random_uuid(), file_id, household_id, division_code, method, disaster, category,
        stage, applied_on, 1, 0 FROM renovations WHERE renovation_id = :id
"""


def codes(answers: Iterable[httpx.Response]) -> list[tuple[int, str | None]]:
    return sorted(((a.status_code, a.json().get("code")) for a in answers), key=str)


@pytest.mark.parametrize("stage", ["appraised", "accepted"])
async def test_two_officers_at_one_stage(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    renovated: Renovated,
    stage: str,
) -> None:
    renovation = await renovated("applied" if stage == "appraised" else "completed")
    answers = await asyncio.gather(
        *(record(each, renovation, stage) for each in (client, colleague))
    )
    assert codes(answers) == [(200, None), (412, "revision_moved")]
    done = "SELECT 1 FROM renovation_stages WHERE stage = :stage"
    assert len(await rows(worker, done, stage=stage)) == 1
    told = await published(worker, "household.assisted")
    assert len(told) == (1 if stage == "accepted" else 0)


async def test_two_applications_for_one_file(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    file_id = await file_of(worker, state.household_id)
    answers = await asyncio.gather(
        apply_for(client, file_id, "rebuild"), apply_for(colleague, file_id, "relocate")
    )
    assert codes(answers) == [(201, None), (409, "renovation_exists")]
    assert len(await rows(worker, "SELECT 1 FROM renovations")) == 1


async def test_two_payments(
    colleague: httpx.AsyncClient,
    worker: Database,
    renovated: Renovated,
) -> None:
    renovation = await renovated("accepted")
    pay = f"/v1/renovations/{renovation['renovation_id']}/pay"
    answers = await asyncio.gather(
        *(colleague.post(pay, json={"paid_on": "2026-06-01"}) for _ in range(2))
    )
    assert codes(answers) == [(200, None), (409, "stage_not_due")]
    told = await published(worker, "household.assisted")
    assert [(one["status"], one["version"]) for one in told] == [("approved", 1), ("paid", 2)]


async def test_a_cancelling_against_an_acceptance(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, renovated: Renovated
) -> None:
    """Whichever comes first, the other is refused; never cancelled with a subsidy."""
    renovation = await renovated("completed")
    cancel = f"/v1/renovations/{renovation['renovation_id']}/cancel"
    accepted, cancelled = await asyncio.gather(
        record(client, renovation, "accepted"),
        colleague.post(cancel, json={"reason": "农户放弃"}),
    )
    assert sorted((accepted.status_code, cancelled.status_code)) in ([200, 409], [200, 412])
    (row,) = await rows(worker, "SELECT stage, amount FROM renovations")
    assert (row["stage"] == "accepted") == (row["amount"] is not None)
    told = await published(worker, "household.assisted")
    assert len(told) == (1 if row["stage"] == "accepted" else 0)


async def test_a_report_against_an_acceptance(client: httpx.AsyncClient, worker: Database) -> None:
    """The registry corrects the grade in the same moment: the file closes once, all is granted."""
    state = dweller("D")
    await receive(worker, state)
    renovation = (await apply_for(client, await file_of(worker, state.household_id))).json()
    for stage in ("appraised", "planned", "agreed", "started", "checked", "completed"):
        renovation = (await record(client, renovation, stage)).json()
    accepted, _ = await asyncio.gather(
        record(client, renovation, "accepted"),
        receive(worker, regraded(state, "A"), version=2),
    )
    assert accepted.status_code == 200, accepted.text
    (file,) = await rows(worker, "SELECT state, closing_cause FROM dangerous_house_files")
    assert file["state"] == "closed"
    (given,) = await rows(worker, "SELECT met FROM guarantees_given")
    assert given["met"] is True


async def test_the_same_request_sent_twice_is_done_once(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    path = f"/v1/house-files/{await file_of(worker, state.household_id)}/renovations"
    body = {"method": "rebuild", "applied_on": "2026-05-06"}
    first, second = [
        await client.post(path, json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert (first.status_code, second.json()) == (201, first.json())
    assert len(await rows(worker, "SELECT 1 FROM renovations")) == 1


async def test_the_database_itself_refuses_what_no_officer_may(
    api_role: Database, renovated: Renovated
) -> None:
    """A payment by the one who accepted, a second renovation of one file."""
    paid = await renovated("accepted")
    running = await renovated()
    for order, constraint, renovation in (
        (_PAID_BY_ONE, "two_people", paid),
        (_SECOND_RENOVATION, "uq_renovations", running),
    ):
        with pytest.raises(IntegrityError, match=constraint):
            async with api_role.transaction(divisions=("331124",)) as session:
                await session.execute(text(order), {"id": renovation["renovation_id"]})
