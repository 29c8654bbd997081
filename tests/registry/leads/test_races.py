"""Two at once on one lead: two reports, an acceptance and a dismissal, a report and a dismissal."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from services.registry.leads import actions
from services.registry.leads.rules import Report, Subject
from shared import clock
from shared.contracts.leads import LeadSource
from tests.registry.conftest import OfficeOf
from tests.registry.filing import OFFICER, Office, Registry, number, problem
from tests.registry.leads.telling import (
    accept,
    described,
    dismiss,
    listed,
    read,
    report,
    reported,
    visited,
)
from tests.registry.told import VILLAGE


def of_person(id_number: str) -> Report:
    subject = Subject(division_code=VILLAGE, name="赵钱孙", id_number=id_number)
    return Report(
        source=LeadSource.HOTLINE, reported_on=clock.today(), words="来电反映", subject=subject
    )


async def test_of_two_reports_at_once_the_second_joins(
    registry: Registry, office: Office, postgres: str
) -> None:
    id_number = number()
    before = await listed(office)

    async with registry.acting() as session:
        first = await actions.report(session, OFFICER, of_person(id_number))
        other = asyncio.ensure_future(reported(office, person=described(id_number=id_number)))
        await registry.until_waiting(postgres, 1)
    second = await other

    assert await listed(office) - before == {str(first.lead_id)}
    assert (second["joined"], second["lead"]["lead_id"]) == (True, str(first.lead_id))
    assert len((await read(office, str(first.lead_id)))["reports"]) == 2


async def test_when_the_first_of_two_reports_fails_the_second_opens_the_lead(
    registry: Registry, office: Office, postgres: str
) -> None:
    id_number = number()

    async def fail() -> asyncio.Future[dict[str, object]]:
        async with registry.acting() as session:
            await actions.report(session, OFFICER, of_person(id_number))
            waits = asyncio.ensure_future(reported(office, person=described(id_number=id_number)))
            await registry.until_waiting(postgres, 1)
            await session.rollback()
        return waits

    second = await (await fail())

    assert second["joined"] is False


async def test_of_an_acceptance_and_a_dismissal_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    lead_id = await visited(office, household_id=await office.open())
    other = await office_of(officer="o2")

    async with registry.worker.transaction() as session:
        held = text("SELECT 1 FROM leads WHERE lead_id = :id FOR UPDATE")
        await session.execute(held, {"id": UUID(lead_id)})
        both = [
            asyncio.ensure_future(accept(office, lead_id)),
            asyncio.ensure_future(dismiss(other, lead_id)),
        ]
        await registry.until_waiting(postgres, 2)
    answers = await asyncio.gather(*both)

    passed = [answer.status_code == 200 for answer in answers]
    assert sorted(passed) == [False, True]
    problem(answers[passed.index(False)], 409, "lead_closed")
    state = "accepted" if passed[0] else "dismissed"
    assert (await read(office, lead_id))["state"] == state


@pytest.mark.parametrize("committed", [True, False])
async def test_a_report_that_meets_a_dismissal_is_not_lost(
    registry: Registry, office: Office, postgres: str, committed: bool
) -> None:
    """It opens a lead of its own where the dismissal holds, else it joins the lead."""
    household_id = await office.open()
    lead_id = await visited(office, household_id=household_id)

    async with registry.acting() as session:
        await actions.dismiss(session, OFFICER, UUID(lead_id), "已搬走")
        coming = asyncio.ensure_future(report(office, household_id=household_id))
        await registry.until_waiting(postgres, 1)
        if not committed:
            await session.rollback()
    answer = (await coming).json()

    assert answer["joined"] is not committed
    assert (answer["lead"]["lead_id"] == lead_id) is not committed
    assert answer["lead"]["state"] == ("open" if committed else "visited")
