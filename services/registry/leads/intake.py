"""Reports on their way in: each joins the open lead of its household or person, or opens one.

Race-safe by two partial unique indexes: whoever comes second waits for the first to commit, finds
the lead that was opened meanwhile, and joins it. Nobody's report is refused for being the second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed as persons
from services.registry.leads import publishing, rules, sealed
from services.registry.leads.models import LeadReport
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from services.registry.tasks.queries import deadlines
from shared import clock, identity
from shared.contracts.leads import LeadSource, LeadState
from shared.errors import Conflict
from shared.workdays import Deadline

_MOST_RACES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A report whose household or person is known as far as it will be.

    ``origin`` and ``source_id`` name the event that it was, ``service`` the service that reports,
    ``receipt`` is the hash of the number that its sender got.
    """

    source: LeadSource
    division_code: str
    reported_on: date
    words: str
    reported_by: str
    origin: str
    household_id: UUID | None = None
    id_number: str | None = None
    name: str | None = None
    phone: str | None = None
    source_id: UUID | None = None
    service: str | None = None
    receipt: str | None = None

    @property
    def sender(self) -> str:
        """Of which kind its sender is. Example: ``other_service@housing``."""
        return f"{self.source}@{self.service}" if self.service else self.source.value

    @property
    def person_hash(self) -> bytes | None:
        """What finds the person again, in or out of a file."""
        return persons.hash_id_number(self.id_number) if self.id_number else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Where a report went. The lead may lie outside the divisions of whoever reported."""

    report_id: UUID
    lead_id: UUID
    division_code: str
    joined: bool


async def take(session: AsyncSession, reports: Sequence[Incoming]) -> list[Taken]:
    """Store these reports, each with the lead it belongs to; one answer a report, in order.

    A few statements whatever their number. Of two reports of one household the second joins the
    first. Raises Conflict in the unheard-of case that others open and close the same leads again
    and again.
    """
    found: dict[int, Taken] = {}
    news: dict[UUID, Mapping[Any, Any]] = {}
    waiting = dict(enumerate(reports))
    for _ in range(_MOST_RACES):
        if not waiting:
            break
        found |= await _join(session, waiting, news)
        new = {at: one for at, one in waiting.items() if at not in found}
        found |= await _open(session, new, news)
        waiting = {at: one for at, one in new.items() if at not in found}
    if waiting:
        raise Conflict("lead_race", "others report the same people right now; try again")
    taken = [found[at] for at in range(len(reports))]
    await _keep(session, reports, taken)
    await publishing.publish(session, news.values())
    return taken


async def _join(
    session: AsyncSession, reports: Mapping[int, Incoming], news: dict[UUID, Mapping[Any, Any]]
) -> dict[int, Taken]:
    """Find the open leads of these households and people; they stay locked until the end.

    What there is to tell of them joins ``news``.
    """
    known = {at: one for at, one in reports.items() if one.household_id or one.person_hash}
    if not known:
        return {}
    columns = {
        "at": list(known),
        "households": [one.household_id for one in known.values()],
        "persons": [one.person_hash for one in known.values()],
        "receipts": [one.receipt for one in known.values()],
        "senders": [one.sender for one in known.values()],
        "told": [one.reported_on for one in known.values()],
    }
    rows = (await session.execute(_JOIN, columns)).mappings().all()
    for row in sorted(rows, key=lambda row: row["version"]):
        if row["changed"]:
            news[row["lead_id"]] = row
    return {
        row["at"]: Taken(
            report_id=identity.new_id(),
            lead_id=row["lead_id"],
            division_code=row["division_code"],
            joined=True,
        )
        for row in rows
    }


async def _open(
    session: AsyncSession, reports: Mapping[int, Incoming], news: dict[UUID, Mapping[Any, Any]]
) -> dict[int, Taken]:
    """Open leads for these reports, but where somebody was faster; they join ``news``."""
    if not reports:
        return {}
    places = {one.division_code for one in reports.values()}
    limits = await deadlines(session, rules.VISIT_WORKING_DAYS, places, clock.today())
    drafts = {identity.new_id(): at for at, one in reports.items()}
    columns = _columns(
        [_lead(lead_id, reports[at], limits) for lead_id, at in drafts.items()], _LEAD
    )
    rows = await session.execute(_INSERT, columns | {"state": LeadState.OPEN.value})
    news |= {row["lead_id"]: row for row in rows.mappings()}
    opened = {lead_id: reports[at] for lead_id, at in drafts.items() if lead_id in news}
    await tasks.open_tasks(
        session,
        [
            tasks.Opening(
                kind=TaskKind.LEAD_VISIT,
                subject_id=lead_id,
                household_id=one.household_id,
                division_code=one.division_code,
                due=limits[one.division_code],
            )
            for lead_id, one in opened.items()
        ],
    )
    return {
        drafts[lead_id]: Taken(
            report_id=identity.new_id(),
            lead_id=lead_id,
            division_code=one.division_code,
            joined=False,
        )
        for lead_id, one in opened.items()
    }


async def _keep(session: AsyncSession, reports: Sequence[Incoming], taken: Sequence[Taken]) -> None:
    if not reports:
        return
    await session.execute(
        insert(LeadReport),
        [_report(one, where) for one, where in zip(reports, taken, strict=True)],
    )


def _lead(lead_id: UUID, report: Incoming, limits: Mapping[str, Deadline | None]) -> dict[str, Any]:
    limit = limits[report.division_code]
    return {
        "lead_id": lead_id,
        "household_id": report.household_id,
        "person_hash": None if report.household_id else report.person_hash,
        "division_code": report.division_code,
        "source": report.source.value,
        "due_on": limit.on if limit else None,
        "due_provisional": bool(limit and limit.provisional),
        "receipt": report.receipt,
        "sender": report.sender,
        "told_on": report.reported_on,
        "opened_on": clock.today(),
        "recorded_at": clock.now(),
    }


def _report(report: Incoming, taken: Taken) -> dict[str, Any]:
    return {
        "report_id": taken.report_id,
        "lead_id": taken.lead_id,
        "division_code": taken.division_code,
        "source": report.source.value,
        "origin": report.origin,
        "source_id": report.source_id,
        "reported_on": report.reported_on,
        "text_encrypted": sealed.seal_words(report.words.strip()),
        "name_encrypted": sealed.seal_name(report.name),
        "id_number_encrypted": persons.seal_id_number(report.id_number)
        if report.id_number
        else None,
        "phone_encrypted": persons.seal_phone(report.phone),
        "reported_by": report.reported_by,
        "recorded_at": clock.now(),
    }


def _columns(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: [row[name] for row in rows] for name in names}


_JOIN = text(
    "SELECT given.at, joined.* FROM unnest(CAST(:at AS integer[]), "
    "CAST(:households AS uuid[]), CAST(:persons AS bytea[]), CAST(:receipts AS text[]), "
    "CAST(:senders AS text[]), CAST(:told AS date[])) "
    "AS given(at, household_id, person_hash, receipt, sender, told_on), "
    "LATERAL join_lead(given.household_id, given.person_hash, given.receipt, given.sender, "
    "given.told_on) AS joined"
)
_LEAD = {
    "lead_id": "uuid",
    "household_id": "uuid",
    "person_hash": "bytea",
    "division_code": "text",
    "source": "text",
    "due_on": "date",
    "due_provisional": "boolean",
    "receipt": "text",
    "sender": "text",
    "told_on": "date",
    "opened_on": "date",
    "recorded_at": "timestamptz",
}
_OWN = ", ".join(name for name in _LEAD if name not in {"receipt", "sender", "told_on"})
# In one order for everybody, or two batches about the same households could wait for each other.
_INSERT = text(
    "WITH opened AS ("  # noqa: S608 (own names)
    f"INSERT INTO leads ({_OWN}, state, reason, senders, senders_on, receipts, received_on, "
    "told_in, version) "
    f"SELECT {_OWN}, :state, '', ARRAY[sender], ARRAY[told_on], "
    "array_remove(ARRAY[receipt], NULL), "
    "CASE WHEN receipt IS NULL THEN '{}' ELSE ARRAY[told_on] END, division_code, 1 FROM unnest("
    f"{', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _LEAD.items())}"
    f") AS sent({', '.join(_LEAD)}) ORDER BY household_id, person_hash "
    "ON CONFLICT DO NOTHING RETURNING leads.*), "
    "held AS (INSERT INTO lead_receipts (receipt_hash, lead_id) "
    "SELECT unnest(receipts), lead_id FROM opened) "
    "SELECT * FROM opened"
)
