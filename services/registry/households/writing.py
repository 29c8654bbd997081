"""Revisions of household files into the database, a chunk at a time.

Archive, current rows, decisions and events are written from one value, so they cannot disagree. A
revision that changes nothing writes nothing and publishes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.deaths import actions as deaths
from services.registry.duplicates import candidates
from services.registry.helpers import fitting
from services.registry.helpers.fitting import Refit
from services.registry.households import history, places, records
from services.registry.households.facts import Facts
from services.registry.households.history import Entry, Timeline
from services.registry.households.records import File, Revision, Ruling
from services.registry.plans import watching as plans
from services.registry.reports import watching as reports
from services.registry.reviews import calendar as reviews
from services.registry.visits import watching as visits
from shared import clock, events, identity, together
from shared.auth import Caller
from shared.contracts.registry import HouseholdState
from shared.contracts.registry import Member as PublishedMember
from shared.contracts.topics import HOUSEHOLDS
from shared.db import driver_of
from shared.events import NewEvent
from shared.together import MOST_TOGETHER, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a revision; ``changed`` is False when nothing was written."""

    revised: Revision
    entries: list[Entry]
    state: HouseholdState | None
    version: int
    revision: int
    changed: bool

    @property
    def facts(self) -> Facts:
        """What holds now."""
        return self.revised.timeline[-1].facts

    @property
    def published(self) -> bool:
        """Whether this revision leaves the house as an event."""
        return self.version > self.revised.file.version


async def write(
    session: AsyncSession, caller: Caller, revisions: Sequence[Revision]
) -> list[Written]:
    """Write what changed: rows, archive, decisions, then one event a published version.

    The caller holds the row locks of ``lock`` (or the files are new). One answer a revision.
    """
    written = [_weigh(revision) for revision in revisions]
    changed = [each for each in written if each.changed]
    if changed:
        now = clock.now()
        await _insert_households(session, changed, now)
        await _write_rows(
            session,
            [
                *(_update(each, now) for each in changed if each.revised.file.timeline),
                *_member_writes(changed),
                *(_archived(each, entry, now) for each in changed for entry in each.entries),
            ],
        )
        await _write_episodes(session, changed, caller)
        await _write_decisions(session, changed, now)
        await places.follow(session, _moved(changed))
        await candidates.note(session, _newly_looked_at(changed))
        refitted = _refitted(changed)
        await fitting.refit(session, refitted)
        for each in (plans, visits, reviews, reports, deaths):
            await each.rewatch(session, refitted)
        await events.publish(session, [_event(each) for each in changed if each.published])
    return written


def _refitted(changed: Sequence[Written]) -> list[Refit]:
    return [
        Refit(file.household_id, file.timeline[-1].facts, each.facts, each.revised.day)
        for each in changed
        if (file := each.revised.file).timeline
    ]


def _weigh(revision: Revision) -> Written:
    file = revision.file
    entries = history.changed_entries(file.timeline, revision.timeline)
    state = history.published(
        file.household_id, revision.timeline, effective_from=revision.effective_from
    )
    changed = bool(entries or revision.personal or revision.contact)
    return Written(
        revised=revision,
        entries=entries,
        state=state,
        version=file.version + _is_news(file, revision.timeline, state),
        revision=file.revision + changed,
        changed=changed,
    )


def _is_news(file: File, timeline: Timeline, state: HouseholdState | None) -> bool:
    """Whether listeners would learn anything; effective_from alone is no news."""
    if state is None:
        return False
    if not file.timeline or history.surely_news(file.timeline, timeline):
        return True
    known = history.published(file.household_id, file.timeline, effective_from=state.effective_from)
    return known != state


async def _insert_households(
    session: AsyncSession, changed: Sequence[Written], now: datetime
) -> None:
    new = [_household_row(each, now) for each in changed if not each.revised.file.timeline]
    await _insert(session, "households", new)


async def _insert(
    session: AsyncSession, table: str, rows: Sequence[Mapping[str, Any]], conflict: str = ""
) -> None:
    """Rows of one shape; by the driver, at a fifth of what SQLAlchemy's insert costs."""
    if rows:
        columns = tuple(rows[0])
        values = [[row[name] for name in columns] for row in rows]
        await driver_of(session).executemany(f"{_insert_of(table, columns)} {conflict}", values)


@lru_cache
def _insert_of(table: str, columns: tuple[str, ...]) -> str:
    values = ", ".join(f"${at}" for at in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 (own names)


async def _write_rows(session: AsyncSession, writes: Sequence[Write]) -> None:
    """A household's few rows in one statement; a chunk's hundreds a statement's kind at a time."""
    if len(writes) <= MOST_TOGETHER:
        await together.write(session, writes)
        return
    kinds: dict[str, list[Sequence[Any]]] = {}
    for each in writes:
        kinds.setdefault(each.sql, []).append(each.values)
    for sql, rows in kinds.items():
        await driver_of(session).executemany(sql, rows)


def _update(each: Written, now: datetime) -> Write:
    row = _household_row(each, now)
    return Write(_update_of(tuple(row)), tuple(row.values()))


@lru_cache
def _update_of(columns: tuple[str, ...]) -> str:
    """The first column is the key."""
    key, *others = columns
    values = ", ".join(f"{name} = ${at}" for at, name in enumerate(others, start=2))
    return f"UPDATE households SET {values} WHERE {key} = $1"  # noqa: S608 (own names)


def _household_row(each: Written, now: datetime) -> dict[str, Any]:
    file, facts = each.revised.file, each.facts
    row = {
        "household_id": file.household_id,
        "version": each.version,
        "revision": each.revision,
        "recorded_at": now,
        **records.household_columns(facts),
        **each.revised.contact,
    }
    if each.published or not file.timeline:
        row["effective_from"] = each.revised.effective_from
    if not file.timeline:
        row |= {
            "household_no": file.household_no,
            "origin": file.origin,
            "opened_on": each.revised.timeline[0].valid_from,
            "phone_encrypted": each.revised.contact.get("phone_encrypted"),
            "phone_hash": each.revised.contact.get("phone_hash"),
            "account_encrypted": each.revised.contact.get("account_encrypted"),
        }
    return row


_MEMBER_COLUMNS = (
    "household_id",
    "person_id",
    "division_code",
    "relation",
    "health",
    "disability_kind",
    "disability_grade",
    "labor_ability",
    "willing_to_work",
    "education",
    "school_stage",
    "work",
    "insured",
    "left_behind",
    "counted",
    "left_on",
    "left_reason",
)
_UPSERT_MEMBER = f"""
    INSERT INTO members ({", ".join(_MEMBER_COLUMNS)})
    VALUES ({", ".join(f"${at}" for at in range(1, len(_MEMBER_COLUMNS) + 1))})
    ON CONFLICT (household_id, person_id) DO UPDATE
        SET {", ".join(f"{name} = excluded.{name}" for name in _MEMBER_COLUMNS[2:])}
"""  # noqa: S608 (own names)


def _member_writes(changed: Sequence[Written]) -> list[Write]:
    # In any order: persons.claim gives nobody a place in the call that ends his place elsewhere.
    rows = [row for each in changed for row in _member_rows(each)]
    return [Write(_UPSERT_MEMBER, tuple(row.values())) for row in rows]


def _member_rows(each: Written) -> list[dict[str, Any]]:
    file, facts = each.revised.file, each.facts
    old = {member.person_id: member for member in file.facts.members} if file.timeline else {}
    now = {member.person_id: member for member in facts.members}
    rows = [
        _member_row(file.household_id, facts.division_code, member)
        for member in facts.members
        if old.get(member.person_id) != member
    ]
    return rows + _left_rows(each, old, now.keys())


def _left_rows(
    each: Written, old: Mapping[UUID, PublishedMember], standing: Collection[UUID]
) -> list[dict[str, Any]]:
    """Who left: from among those who stood there, or earlier than was known so far."""
    revised = each.revised
    before = history.facts_at(revised.file.timeline, revised.day)
    earlier = {one.person_id: one for one in before.members} if before else {}
    rows = []
    for person_id in sorted((old.keys() | revised.left.keys()).difference(standing)):
        member = old.get(person_id) or earlier[person_id]
        row = _member_row(revised.file.household_id, each.facts.division_code, member)
        row["left_on"] = revised.day
        row["left_reason"] = revised.left.get(person_id)
        rows.append(row)
    return rows


def _member_row(household_id: UUID, division_code: str, member: PublishedMember) -> dict[str, Any]:
    """In the order of _MEMBER_COLUMNS."""
    card = member.disability
    return {
        "household_id": household_id,
        "person_id": member.person_id,
        "division_code": division_code,
        "relation": member.relation,
        "health": member.health,
        "disability_kind": card.kind if card else None,
        "disability_grade": card.grade if card else None,
        "labor_ability": member.labor_ability,
        "willing_to_work": member.willing_to_work,
        "education": member.education,
        "school_stage": member.school_stage,
        "work": member.work,
        "insured": member.insured,
        "left_behind": member.left_behind,
        "counted": member.counted,
        "left_on": None,
        "left_reason": None,
    }


def _archived(each: Written, entry: Entry, now: datetime) -> Write:
    return Write(
        _ARCHIVE,
        (
            each.revised.file.household_id,
            entry.valid_from,
            each.revision,
            each.facts.division_code,
            each.version,
            entry.facts.model_dump_json(),
            now,
        ),
    )


_ARCHIVE = """
    INSERT INTO household_versions
        (household_id, valid_from, revision, division_code, version, facts, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def _write_episodes(
    session: AsyncSession, changed: Sequence[Written], caller: Caller
) -> None:
    rows = [row for each in changed for row in _episode_rows(each, caller)]
    await _insert(session, "episodes", rows, _SAME_EPISODE)


_SAME_EPISODE = """
    ON CONFLICT (household_id, number)
    DO UPDATE SET lifted_on = excluded.lifted_on, exited_on = excluded.exited_on
"""


def _episode_rows(each: Written, caller: Caller) -> list[dict[str, Any]]:
    file = each.revised.file
    known = set(file.facts.episodes) if file.timeline else set()
    return [
        {
            "household_id": file.household_id,
            "division_code": each.facts.division_code,
            "decided_by": caller.officer_id or caller.sub,
            "missing_evidence": list(each.revised.missing_evidence),
            **episode.model_dump(),
        }
        for episode in each.facts.episodes
        if episode not in known
    ]


async def _write_decisions(
    session: AsyncSession, changed: Sequence[Written], now: datetime
) -> None:
    rows = [_decision_row(each, ruling, now) for each in changed if (ruling := each.revised.ruling)]
    await _insert(session, "decisions", rows)


def _decision_row(each: Written, ruling: Ruling, now: datetime) -> dict[str, Any]:
    facts = history.facts_at(each.revised.timeline, ruling.decided_on) or each.facts
    return {
        "decision_id": identity.new_id(),
        "household_id": each.revised.file.household_id,
        "division_code": each.facts.division_code,
        "episode": facts.episodes[-1].number if facts.episodes else 0,
        "kind": ruling.kind,
        "decided_on": ruling.decided_on,
        "officer_id": ruling.officer_id,
        "reason": ruling.reason,
        "rule_set": facts.rule_set,
        "category": facts.category,
        "checks": orjson.dumps(ruling.checks, default=str).decode(),
        "parameters": orjson.dumps(ruling.parameters, default=str).decode(),
        "facts": facts.model_dump_json(),
        "revision": each.revision,
        "recorded_at": now,
    }


def _moved(changed: Sequence[Written]) -> dict[UUID, str]:
    return {
        each.revised.file.household_id: each.facts.division_code
        for each in changed
        if each.revised.file.timeline
        and each.revised.file.facts.division_code != each.facts.division_code
    }


def _newly_looked_at(changed: Sequence[Written]) -> list[UUID]:
    """Who joined, and the heads of households with a new phone: they may be registered twice."""
    people: set[UUID] = set()
    for each in changed:
        file = each.revised.file
        known = {member.person_id for member in file.facts.members} if file.timeline else set()
        people |= {member.person_id for member in each.facts.members} - known
        if each.revised.contact:
            people.add(each.facts.head_person_id)
    return sorted(people)


def _event(each: Written) -> NewEvent:
    state = each.state
    assert state is not None  # noqa: S101 (published implies a state)
    return NewEvent(
        topic=HOUSEHOLDS,
        type=each.revised.type,
        subject=state.household_id,
        version=each.version,
        payload=state,
        episode=state.episodes[-1].number,
        rule_set=state.rule_set,
        effective_from=state.effective_from,
    )
