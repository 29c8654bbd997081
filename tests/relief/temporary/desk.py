"""The officers of a county at work on temporary assistance, and what notify answers them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from services.relief.temporary.handlers import on_notices
from shared import clock
from shared.contracts.envelope import Envelope
from shared.contracts.notices import Notice, NoticeEvent, NoticeKind, NoticeOutcome, NoticeStatus
from shared.contracts.registry import HouseholdState
from shared.db import Database
from shared.identity import new_id
from tests.relief.support import rows

AT = "/v1/temporary-assistance"
TOWNSHIP = "331124100"
PAPERS = [
    {"kind": kind, "reference": f"松临救 {kind}"}
    for kind in ("identity", "cause", "amount", "signatures")
]
Answer = dict[str, Any]


def today() -> str:
    return clock.today().isoformat()


def asked(state: HouseholdState, people: int | None = None, **changes: Any) -> Answer:
    """An application of a household for its first so many people, all when left out."""
    persons = [str(each.person_id) for each in state.members[:people]]
    return {
        "household_id": str(state.household_id),
        "kind": "urgent",
        "cause": "fire",
        "person_ids": persons,
        "applicant_person_id": persons[0],
        "happened_on": today(),
        "applied_on": today(),
        "words": "灶间起火，房屋烧毁",
    } | changes


def award(factor: str, *amounts: str, **changes: Any) -> Answer:
    """An award in cash stages due today."""
    stages = [{"form": "cash", "amount": each, "due_on": today()} for each in amounts]
    return {"factor": factor, "stages": stages} | changes


def one() -> Answer:
    """One person helped with twice the line of 600."""
    return award("2", "1200.00")


@dataclass
class Desk:
    """``post`` sends as an officer and gives the answer, of the status expected."""

    people: dict[str, httpx.AsyncClient]
    worker: Database

    async def post(self, who: str, path: str, body: Answer, *, status: int = 200) -> Answer:
        answer = await self.people[who].post(f"{AT}{path}", json=body)
        assert answer.status_code == status, answer.text
        found: Answer = answer.json()
        return found

    async def apply(self, state: HouseholdState, people: int | None = None, **changes: Any) -> str:
        """An application taken in by the clerk; its path."""
        body = asked(state, people, **changes)
        made = await self.post("o1", "/applications", body, status=201)
        return f"/applications/{made['application_id']}"

    async def read(self, path: str) -> Answer:
        answer = await self.people["o1"].get(f"{AT}{path}")
        assert answer.status_code == 200, answer.text
        found: Answer = answer.json()
        return found

    async def allot(self, amount: str, kind: str = "allotted", *, status: int = 201) -> Answer:
        """The county moves the township's fund."""
        body = {"kind": kind, "amount": amount, "document_number": "松财〔2026〕3号"}
        url = f"/v1/petty-funds/{TOWNSHIP}/entries"
        answer = await self.people["o4"].post(url, json=body)
        assert answer.status_code == status, answer.text
        found: Answer = answer.json()
        return found

    async def announced(self, state: HouseholdState, factor: str = "3", **changes: Any) -> str:
        """An ordinary case, checked and with an opinion for helping; its path."""
        path = await self.apply(state, kind="expenditure", cause="illness", **changes)
        check = {"checked_on": today(), "words": "住院费用属实", "expense": "30000.00"}
        await self.post("o2", f"{path}/checks", check)
        opinion = {"favourable": True, "factor": factor, "words": "同意救助"}
        await self.post("o3", f"{path}/opinion", opinion)
        return path

    async def notice_closed(
        self, path: str, outcome: NoticeOutcome = NoticeOutcome.UNOPPOSED
    ) -> None:
        """Eight days on notify says how the newest notice of an application ended."""
        request = (await self.read(path))["notices"][-1]
        posted = clock.today()
        clock.advance(timedelta(days=8))
        ended = {
            "status": NoticeStatus.CLOSED,
            "posted_on": posted,
            "last_day": posted + timedelta(days=7),
            "outcome": outcome,
            "closed_on": clock.today(),
        }
        await self.hear(told(await self.read(path), request, 3, **ended))

    async def hear(self, *envelopes: Envelope) -> None:
        """What notify says, through the handler, in one batch."""
        async with self.worker.transaction() as session:
            await on_notices(session, envelopes)

    async def events(self, kind: str) -> list[Answer]:
        """What was published of a type, in its order."""
        query = "SELECT * FROM events WHERE type = :kind ORDER BY id"
        return await rows(self.worker, query, kind=kind)


def told(of: Answer, request: Answer, version: int, **facts: Any) -> Envelope:
    """A notice of a request as notify publishes it; any field may be named."""
    known: dict[str, Any] = {
        "notice_id": UUID(int=UUID(request["notice_request_id"]).int ^ 1),
        "notice_request_id": request["notice_request_id"],
        "household_id": of["household_id"],
        "kind": NoticeKind.TEMPORARY_ASSISTANCE,
        "division_code": of["division_code"],
        "episode": 1,
        "status": NoticeStatus.POSTED,
    }
    notice = Notice.model_validate(known | facts)
    types = {
        NoticeStatus.POSTED: NoticeEvent.PUBLISHED,
        NoticeStatus.OBJECTED: NoticeEvent.OBJECTED,
        NoticeStatus.CLOSED: NoticeEvent.CLOSED,
    }
    return Envelope(
        id=new_id(),
        source="/notify",
        type=types[notice.status],
        subject=str(notice.notice_id),
        time=clock.now(),
        key=str(notice.household_id),
        aggregate_version=version,
        correlation_id=str(new_id()),
        data=notice.model_dump_json().encode(),
        episode=1,
    )
