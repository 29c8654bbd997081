"""What the end of a notice makes of an application: taken up again, or asked for again."""

from typing import Any

import pytest

from services.registry.determination.handlers import on_closed_notices
from services.registry.worker import SUBSCRIPTIONS
from shared.contracts.notices import NoticeEvent, NoticeOutcome
from shared.contracts.topics import NOTICES
from shared.identity import new_id
from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, Casework
from tests.registry.filing import Registry, problem
from tests.registry.told import notice_event


async def test_an_objection_upheld_takes_the_case_up_again(casework: Casework) -> None:
    opinion = await casework.opined(await casework.surveyed(await casework.accepted()))
    announced = await casework.announced(opinion)

    reopened = await casework.noticed(announced, outcome=NoticeOutcome.OBJECTION_UPHELD)

    assert (reopened["state"], reopened["round"]) == ("verifying", 2)
    assert reopened["notice_request_id"] is None
    # The whole in 45 working days now, from 7 January.
    assert await casework.tasks(reopened) == {"survey": "2026-03-17", "opinion": "2026-03-17"}
    early: dict[str, Any] = {"given_on": "2026-01-21", "in_favour": True, "words": "符合"}
    problem(await casework.ask(reopened, "opinion", **early), 422, "survey_missing")
    again = await casework.opined(await casework.surveyed(reopened, "2026-01-21"), "2026-01-22")
    announced = await casework.announced(again)
    assert announced["notice_request_id"] != opinion["notice_request_id"]
    closed = await casework.noticed(announced, "2026-01-23", NoticeOutcome.OBJECTIONS_DISMISSED)
    decided = await casework.step(closed, "decide", by=casework.county, decided_on="2026-01-31")
    assert decided["decisions"][0]["round"] == 2


async def test_whoever_surveyed_in_an_earlier_round_may_not_decide(
    casework: Casework, office_of: OfficeOf
) -> None:
    first = await casework.surveyed(await casework.accepted())
    first = await casework.announced(await casework.opined(first))
    reopened = await casework.noticed(first, outcome=NoticeOutcome.OBJECTION_UPHELD)
    others = [await office_of(RIGHTS, officer=name) for name in ("t7", "t8")]
    casework.clerk, casework.second = others
    again = await casework.opined(await casework.surveyed(reopened, "2026-01-21"), "2026-01-22")
    closed = await casework.noticed(await casework.announced(again), "2026-01-23")
    office = await office_of(RIGHTS, officer="t2")

    answer = await casework.ask(closed, "decide", by=office, decided_on="2026-01-31")

    problem(answer, 422, "same_officer")


@pytest.mark.parametrize("outcome", [NoticeOutcome.REFUSED, NoticeOutcome.WITHDRAWN])
async def test_a_notice_that_was_never_posted_is_asked_for_again(
    casework: Casework, outcome: NoticeOutcome
) -> None:
    opinion = await casework.opined(await casework.surveyed(await casework.accepted()))
    announced = await casework.announced(opinion)

    back = await casework.noticed(announced, outcome=outcome)

    assert (back["state"], back["notice_request_id"]) == ("opinion", None)
    assert await casework.tasks(back) == {"announcement": None}
    assert (await casework.announced(back))["state"] == "on_notice"


async def test_a_child_born_while_it_hangs_is_announced_anew(casework: Casework) -> None:
    closed = await casework.decidable()
    household_id = closed["household_id"]
    child = {"name": "张小宝", "relation": "son", "sex": "male", "birth_date": "2026-01-14"}
    born = child | {"valid_from": "2026-01-14"}
    answer = await casework.clerk.client.post(f"/v1/households/{household_id}/members", json=born)
    assert answer.is_success, answer.text

    refused = await casework.ask(closed, "decide", by=casework.county, decided_on="2026-01-20")
    again = await casework.step(closed, "announce", by=casework.leader)
    running = await casework.ask(again, "announce", by=casework.leader)
    closed = await casework.noticed(again, "2026-01-21")
    decided = await casework.step(closed, "decide", by=casework.county, decided_on="2026-01-29")

    problem(refused, 422, "notice_outdated")
    problem(running, 409, "notice_open")
    assert (again["state"], decided["state"]) == ("on_notice", "identified")
    assert list(await casework.tasks(decided)) == ["plan"]


async def test_the_same_news_twice_changes_nothing(casework: Casework, registry: Registry) -> None:
    opinion = await casework.opined(await casework.surveyed(await casework.accepted()))
    announced = await casework.announced(opinion)
    closed = await casework.noticed(announced)
    request = await casework.request_of(closed)
    before = await registry.counted("audit_log", "tasks", "events", "outbox")

    again = notice_event(
        request,
        status="closed",
        outcome=NoticeOutcome.UNOPPOSED,
        closed_on="2026-01-20",
    )
    async with registry.worker.transaction() as session:
        await on_closed_notices(session, [again])

    assert await registry.counted("audit_log", "tasks", "events", "outbox") == before
    assert await casework.read(closed) == closed


async def test_what_relief_announced_is_passed_over(registry: Registry) -> None:
    """Even where the registry has no such household: it is not for the registry to judge."""
    theirs = {
        "notice_request_id": new_id(),
        "household_id": new_id(),
        "kind": "temporary_assistance",
        "episode": 0,
    }
    ended = notice_event(
        theirs, status="closed", outcome=NoticeOutcome.UNOPPOSED, closed_on="2026-01-20"
    )
    before = await registry.counted("audit_log", "tasks", "events", "outbox")
    async with registry.worker.transaction() as session:
        await on_closed_notices(session, [ended])

    assert await registry.counted("audit_log", "tasks", "events", "outbox") == before


def test_the_worker_hears_of_the_end_of_notices_after_the_notices_themselves() -> None:
    heard = [each for each in SUBSCRIPTIONS if each.topic == NOTICES]
    assert heard[-1].handlers == (on_closed_notices,)
    assert NoticeEvent.CLOSED.value in heard[-1].types
    assert len(heard) == 2
