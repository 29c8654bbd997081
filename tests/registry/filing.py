"""Made-up households filed in a real registry: through its API, or in bulk through its actions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from services.registry.checks import actions as checks
from services.registry.checks.rules import Survey
from services.registry.households.facts import HouseholdEntry, MemberEntry
from services.registry.ledger.handlers import on_assisted, on_guarantees
from services.registry.notices.handlers import on_notices
from shared.auth import Caller
from shared.contracts.assistance import (
    GuaranteeKind,
)
from shared.contracts.envelope import Envelope
from shared.contracts.notices import NoticeOutcome, NoticeStatus
from shared.contracts.registry import (
    Category,
    HouseholdState,
    Incomes,
    Relation,
    SchoolStage,
)
from shared.db import Database
from tests.registry.told import (
    VILLAGE,
    aid_event,
    guarantee_event,
    notice_event,
)
from tests.support.builders import id_number
from tests.support.waiting import until

NEXT_VILLAGE = "331124002222"
OTHER_TOWNSHIP = "331124212203"
OTHER_COUNTY = "331121001001"

PLACES = (
    ("331100", "丽水市", "city", None),
    ("331121", "青田县", "county", "331100"),
    ("331124", "松阳县", "county", "331100"),
    ("331121001", "鹤城街道", "township", "331121"),
    ("331124002", "水南街道", "township", "331124"),
    ("331124212", "枫坪乡", "township", "331124"),
    (VILLAGE, "大竹溪村村委会", "village", "331124002"),
    (NEXT_VILLAGE, "潘西村村委会", "village", "331124002"),
    (OTHER_TOWNSHIP, "桐榔村村委会", "village", "331124212"),
    (OTHER_COUNTY, "塔下社区", "village", "331121001"),
)

ALL = (
    "registry.households:read registry.households:write registry.households:decide "
    "registry.tasks:read registry.transfers:read registry.transfers:decide "
    "registry.leads:read registry.leads:write registry.leads:decide "
    "registry.splits:read registry.splits:decide registry.mergers:read registry.mergers:decide "
    "registry.duplicates:read registry.duplicates:decide "
    "registry.sources:read registry.sources:decide"
)
RESOLVE = "registry.persons:resolve"
VERIFY = "registry.verification:read registry.verification:write"

OFFICER = Caller(sub="s1", officer_id="o1", divisions=("331124",))
SURVEYOR = Caller(sub="s7", officer_id="o7", divisions=("331124",))

"""What the city has set from 2024 on, as in the sample."""

EIGHT_DAYS = timedelta(days=8)
"""From the posting, which does not count, past seven full days."""

_people = count(1)
_versions = count(1)


def number(*, born: date = date(1980, 5, 17), area: str = "331124") -> str:
    """A valid ID number that no other call gives."""
    serial = next(_people)
    moved = born.replace(day=serial // 900 % 28 + 1)
    return id_number(born=moved, order=serial % 900 + 1, area=area)


def person(relation: str = "head", **given: Any) -> dict[str, Any]:
    """A member as the API takes one."""
    return {"name": "张三丰", "id_number": number(), "relation": relation} | given


def household(*members: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A household as the API takes one: a head alone unless members are given."""
    return {
        "division_code": VILLAGE,
        "category": "dibao",
        "opened_on": "2026-01-05",
        "incomes": {"wage": "6000", "business": "-500"},
        "causes": ["illness"],
        "members": list(members) or [person()],
        "phone": "13812340000",
        "account": "6228480012345678",
    } | given


def entry(*members: MemberEntry, **given: Any) -> HouseholdEntry:
    """A household as the bulk path takes one."""
    known: dict[str, Any] = {
        "division_code": VILLAGE,
        "category": Category.DIBAO,
        "incomes": Incomes(wage=Decimal(6000)),
        "members": members or (one(),),
    }
    return HouseholdEntry(**(known | given))


def one(relation: Relation = Relation.HEAD, **given: Any) -> MemberEntry:
    """A member as the bulk path takes one."""
    known = {"name": "李四光", "id_number": number(), "school_stage": SchoolStage.NOT_AT_SCHOOL}
    return MemberEntry(relation=relation, **(known | given))


async def know_places(worker: Database) -> None:
    """Load the few divisions that these tests file in: loading all of Lishui's takes its time."""
    async with worker.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO divisions (code, name, level, parent_code, valid_from) "
                "VALUES (:code, :name, :level, :parent, '2023-01-01')"
            ),
            [
                {"code": code, "name": name, "level": level, "parent": parent}
                for code, name, level, parent in PLACES
            ],
        )


@dataclass(frozen=True)
class Registry:
    """One registry database, looked at from beside the application."""

    urls: ServiceDatabase
    worker: Database
    api: Database

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What a query finds, past row-level security."""
        async with self.worker.transaction() as session:
            found = await session.execute(text(query), values)
            return [dict(row) for row in found.mappings()]

    async def states(self, household_id: Any) -> list[tuple[str, int, HouseholdState]]:
        """The events of a household in their order: type, version, payload."""
        rows = await self.rows(
            "SELECT type, aggregate_version, data FROM events WHERE subject = :subject ORDER BY id",
            subject=str(household_id),
        )
        return [
            (
                row["type"].split(".")[2],
                row["aggregate_version"],
                HouseholdState.model_validate_json(row["data"]),
            )
            for row in rows
        ]

    @asynccontextmanager
    async def held_back(
        self, admin_url: str, household_id: str, waiting: int
    ) -> AsyncIterator[None]:
        """Hold a household's row until so many others wait for it, so that they really race."""
        async with self.worker.transaction() as session:
            await session.execute(
                text("SELECT 1 FROM households WHERE household_id = :id FOR UPDATE"),
                {"id": household_id},
            )
            yield
            await self.until_waiting(admin_url, waiting)

    async def until_waiting(self, admin_url: str, waiting: int) -> None:
        """Until so many transactions wait for a lock."""
        admin = await asyncpg.connect(admin_url)
        try:
            await until(
                lambda: admin.fetchval(
                    "SELECT count(*) >= $1 FROM pg_stat_activity "
                    "WHERE datname = $2 AND wait_event_type = 'Lock'",
                    waiting,
                    self.urls.name,
                ),
                what=f"{waiting} transactions that wait for the household",
            )
        finally:
            await admin.close()

    async def forget(self, table: str) -> None:
        """Empty a table."""
        async with self.worker.transaction() as session:
            await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (the test's own)

    async def guarantee(self, *, met: bool, **given: Any) -> None:
        """What a service says of a guarantee, through the handler; each time a newer version."""
        envelope = guarantee_event(next(_versions), met=met, **given)
        async with self.worker.transaction() as session:
            await on_guarantees(session, [envelope])

    async def guaranteed(self, household_id: str) -> None:
        """All five guarantees, each met, and dibao paid, which answers most causes."""
        for kind in GuaranteeKind:
            await self.guarantee(household_id=household_id, kind=kind, met=True)
        async with self.worker.transaction() as session:
            await on_assisted(session, [aid_event(household_id=household_id)])

    async def notified(self, *envelopes: Envelope) -> None:
        """What notify says of notices, through the handler, in one batch."""
        async with self.worker.transaction() as session:
            await on_notices(session, envelopes)

    async def checked(
        self, household_id: str, on: str, *, wage: str = "60000", caller: Caller = SURVEYOR
    ) -> None:
        """An income check of these wages, made by the surveyor."""
        survey = Survey(
            checked_on=date.fromisoformat(on),
            incomes=Incomes(wage=Decimal(wage)),
            food_and_clothing=True,
        )
        async with self.acting(caller) as session:
            await checks.enter(session, caller, UUID(household_id), survey)

    async def audited(self, subject_id: Any) -> list[tuple[str, str | None]]:
        """The audit lines on a subject: what was done, by which officer."""
        rows = await self.rows(
            "SELECT action, officer_id FROM audit_log WHERE subject_id = :id ORDER BY id",
            id=str(subject_id),
        )
        return [(row["action"], row["officer_id"]) for row in rows]

    async def counted(self, *tables: str) -> dict[str, int]:
        """How many rows these tables hold."""
        return {
            table: (await self.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"]  # noqa: S608 (the test's own)
            for table in tables
        }

    @asynccontextmanager
    async def acting(self, caller: Caller = OFFICER) -> AsyncIterator[AsyncSession]:
        """A transaction of the api role, as a request of this caller has one."""
        async with self.api.transaction(divisions=caller.divisions) as session:
            yield session


WRITTEN = (
    "persons",
    "households",
    "members",
    "episodes",
    "household_versions",
    "decisions",
    "household_serials",
    "notice_requests",
    "notices",
    "income_checks",
    "hardships",
    "return_checks",
    "tasks",
    "leads",
    "lead_reports",
    "lead_visits",
    "batch_lines",
    "events",
    "outbox",
    "audit_log",
    "idempotency_keys",
)
"""Every table that a write of the registry may touch."""


@dataclass
class Office:
    """An office at work: files households and decides on them, every answer checked."""

    client: httpx.AsyncClient
    registry: Registry
    etags: dict[str, str] = field(default_factory=dict)

    async def open(self, *members: dict[str, Any], **given: Any) -> str:
        """Open a file; gives its id."""
        answer = await self.client.post("/v1/households", json=household(*members, **given))
        assert answer.status_code == 201, answer.text
        self.etags[answer.json()["household_id"]] = answer.headers["ETag"]
        return str(answer.json()["household_id"])

    async def identified(
        self, *members: dict[str, Any], on: str = "2026-01-10", **given: Any
    ) -> str:
        """Open a file, announce it, and identify the household on the notice's end; its id."""
        household_id = await self.open(*members, **given)
        await self.announce(household_id, "identification", closed_on=on)
        await self.decide(household_id, "identify", decided_on=on)
        return household_id

    async def announce(
        self,
        household_id: str,
        kind: str,
        *,
        closed_on: str,
        outcome: NoticeOutcome = NoticeOutcome.UNOPPOSED,
        **wish: Any,
    ) -> str:
        """Ask for a notice and let notify say that its seven days are over; gives its id."""
        asked = await self.ask_notice(household_id, kind, **wish)
        day = date.fromisoformat(closed_on)
        closed = notice_event(
            asked,
            posted_on=day - EIGHT_DAYS,
            status=NoticeStatus.CLOSED,
            outcome=outcome,
            closed_on=day,
        )
        await self.registry.notified(closed)
        return str(asked["notice_request_id"])

    async def ask_notice(self, household_id: str, kind: str, **wish: Any) -> dict[str, Any]:
        """Ask for a notice, which must pass; gives the request as the API shows it."""
        answer = await self.client.post(
            f"/v1/households/{household_id}/notices", json={"kind": kind} | wish
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def long_identified(self, *members: dict[str, Any], **given: Any) -> str:
        """A household identified on 2025-01-10, long enough ago to be lifted; gives its id."""
        filed = {"opened_on": "2025-01-05"} | given
        return await self.identified(*members, on="2025-01-10", **filed)

    async def struck_off(self, **given: Any) -> str:
        """A household that was struck off on 2026-03-01; gives its id."""
        household_id = await self.identified(**given)
        await self.announce(household_id, "exit", closed_on="2026-03-01")
        await self.decide(household_id, "exit", decided_on="2026-03-01", reason="自愿退出")
        return household_id

    async def ready_to_lift(self, household_id: str) -> None:
        """Two checks that passed, a notice and all guarantees: may be lifted from 2025-08-01."""
        await self.registry.checked(household_id, "2025-01-20")
        await self.registry.checked(household_id, "2025-07-20")
        await self.announce(household_id, "lift", closed_on="2025-08-01")
        await self.registry.guaranteed(household_id)

    async def decide(self, household_id: str, move: str, **body: Any) -> dict[str, Any]:
        """Make a decision that must pass."""
        answer = await self.client.post(f"/v1/households/{household_id}/{move}", json=body)
        assert answer.status_code == 200, answer.text
        self.etags[household_id] = answer.headers["ETag"]
        return dict(answer.json())

    async def change(self, household_id: str, **body: Any) -> dict[str, Any]:
        """Change facts of the household; must pass."""
        answer = await self.client.patch(
            f"/v1/households/{household_id}",
            json=body,
            headers={"If-Match": self.etags[household_id]},
        )
        assert answer.status_code == 200, answer.text
        self.etags[household_id] = answer.headers["ETag"]
        return dict(answer.json())

    async def read(self, household_id: str, **query: Any) -> dict[str, Any]:
        """The household as the API shows it."""
        answer = await self.client.get(f"/v1/households/{household_id}", params=query)
        assert answer.status_code == 200, answer.text
        self.etags[household_id] = answer.headers["ETag"]
        return dict(answer.json())


def ids(members: Sequence[dict[str, Any]]) -> list[UUID]:
    """The person ids of members as the API shows them."""
    return [UUID(member["person_id"]) for member in members]


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refused request, which must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = dict(answer.json())
    assert body["code"] == code, body
    return body
