"""Writing down what sources said, and raising the doubts that follow; set-based, chunk by chunk.

Whoever evaluates a verification holds its row, so of two who bring answers to it the second one
sees what the first one brought.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed as households_sealed
from services.registry.households.facts import Facts
from services.registry.tasks import actions as tasks
from services.registry.tasks import queries as task_queries
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from services.registry.verification import queries, sealed
from services.registry.verification.answers import stored_answer
from services.registry.verification.judging import Verdict
from services.registry.verification.rules import (
    Declared,
    Finding,
    Given,
    findings,
    shows_need,
)
from services.registry.verification.sources import ItemState, Severity, Source
from services.registry.verification.thresholds import DOUBT_WORKING_DAYS, Thresholds
from shared import clock, identity
from shared.workdays import Deadline

TASKS: Mapping[Severity, TaskKind] = {
    Severity.REVIEW: TaskKind.VERIFICATION_DOUBT,
    Severity.STOP: TaskKind.VERIFICATION_DEATH_MARK,
}
"""Where a doubt stands on the township's board."""

_SPEAKING_SILENCE = frozenset({Source.DISABILITY, Source.ENROLMENT})
"""Where nothing found may contradict what was declared."""


Found = tuple[RowMapping, Finding, bool]
"""A verification, what was found in it, and whether that shows a need not declared."""


async def record(session: AsyncSession, verdicts: Sequence[Verdict]) -> None:
    """Store what became of these questions, which the caller has locked, and what it means."""
    if not verdicts:
        return
    await session.execute(_RECORD, _columns(verdicts))
    telling = {
        verdict.asked.verification_id
        for verdict in verdicts
        if verdict.state is ItemState.ANSWERED
        or (verdict.state is ItemState.NOTHING_FOUND and verdict.asked.source in _SPEAKING_SILENCE)
    }
    await raise_doubts(session, telling)


async def raise_doubts(session: AsyncSession, verification_ids: Collection[UUID]) -> None:
    """Compare all that is known of these verifications with their files; each doubt only once."""
    if not verification_ids:
        return
    held = (await session.execute(_HOLD, {"ids": list(verification_ids)})).mappings().all()
    rows = [row for row in held if row["stopped_on"] is None]
    found = await _findings(session, rows)
    if not found:
        return
    raised = (await session.execute(_RAISE, await _doubt_columns(session, found))).mappings().all()
    await _open_tasks(session, raised)
    stopped = {row["verification_id"] for row in raised if row["severity"] == Severity.STOP}
    if stopped:
        await session.execute(_STOP, {"ids": list(stopped), "today": clock.today()})


async def _findings(session: AsyncSession, rows: Sequence[RowMapping]) -> list[Found]:
    items = await _answered(session, rows)
    numbers = await _numbers(session, rows, items)
    known = await _thresholds(session, rows)
    found = []
    for row in rows:
        facts = Facts.model_validate_json(row["facts"])
        declared = Declared(
            facts=facts,
            window_from=row["window_from"],
            window_to=row["window_to"],
            on=row["requested_on"],
            numbers=numbers.get(row["household_id"], {}),
        )
        given = _given(facts, items[row["verification_id"]])
        thresholds = known[row["division_code"], row["requested_on"]]
        found += [
            (row, finding, shows_need(finding, facts))
            for finding in findings(declared, given, thresholds)
        ]
    return found


def _given(facts: Facts, items: Sequence[RowMapping]) -> list[Given]:
    given = []
    for item in items:
        member, source = facts.member(item["subject_id"]), Source(item["source"])
        if member is None:
            continue
        blob = item["answer_encrypted"]
        answer = stored_answer(source, sealed.read_answer(blob)) if blob else None
        given.append(Given(member, source, answer))
    return given


async def _answered(
    session: AsyncSession, rows: Sequence[RowMapping]
) -> Mapping[UUID, list[RowMapping]]:
    found = await session.execute(
        _ANSWERED,
        {
            "households": [row["household_id"] for row in rows],
            "ids": [row["verification_id"] for row in rows],
            "silent": [source.value for source in _SPEAKING_SILENCE],
        },
    )
    items: dict[UUID, list[RowMapping]] = defaultdict(list)
    for item in found.mappings():
        items[item["verification_id"]].append(item)
    return items


async def _numbers(
    session: AsyncSession,
    rows: Sequence[RowMapping],
    items: Mapping[UUID, Sequence[RowMapping]],
) -> dict[UUID, dict[str, UUID]]:
    """The members' ID numbers of the households whose answers name other people."""
    naming = {Source.HUKOU.value, Source.MARRIAGE.value}
    wanted = [
        row["household_id"]
        for row in rows
        if any(item["source"] in naming for item in items[row["verification_id"]])
    ]
    numbers: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    if wanted:
        for row in (await session.execute(_NUMBERS, {"ids": wanted})).mappings():
            number = households_sealed.show_id_number(row["id_number_encrypted"], plain=True)
            numbers[row["household_id"]][str(number)] = row["person_id"]
    return numbers


async def _thresholds(
    session: AsyncSession, rows: Sequence[RowMapping]
) -> dict[tuple[str, date], Thresholds]:
    """By division and day; asked for once a county."""
    by_county: dict[tuple[str, date], Thresholds] = {}
    found = {}
    for row in rows:
        code, on = row["division_code"], row["requested_on"]
        county = (code[: len("331124")], on)
        if county not in by_county:
            by_county[county], _ = await queries.thresholds_on(session, *county)
        found[code, on] = by_county[county]
    return found


async def _open_tasks(session: AsyncSession, raised: Sequence[RowMapping]) -> None:
    await tasks.open_tasks(
        session,
        [
            Opening(
                kind=TASKS[Severity(row["severity"])],
                subject_id=row["doubt_id"],
                division_code=row["division_code"],
                due=Deadline(row["due_on"], row["due_provisional"]) if row["due_on"] else None,
                household_id=row["household_id"],
            )
            for row in raised
        ],
    )


def _columns(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "households": [each.asked.household_id for each in verdicts],
        "ids": [each.asked.verification_id for each in verdicts],
        "subjects": [each.asked.subject_id for each in verdicts],
        "sources": [each.asked.source.value for each in verdicts],
        "states": [each.state.value for each in verdicts],
        "failures": [each.failure for each in verdicts],
        "attempts": [each.attempts for each in verdicts],
        "dues": [each.due_at for each in verdicts],
        "answers": [
            None if each.answer is None else sealed.seal_answer(each.answer) for each in verdicts
        ],
        "now": clock.now(),
        "sent": ItemState.SENT.value,
        "waiting": ItemState.WAITING.value,
        "returned": [ItemState.ANSWERED.value, ItemState.NOTHING_FOUND.value],
    }


async def _doubt_columns(session: AsyncSession, found: Sequence[Found]) -> dict[str, Any]:
    today = clock.today()
    places = {row["division_code"] for row, _, _ in found}
    limits = await task_queries.deadlines(session, DOUBT_WORKING_DAYS, places, today)
    dues = [limits[row["division_code"]] for row, _, _ in found]
    return {
        "doubt_ids": [identity.new_id() for _ in found],
        "ids": [row["verification_id"] for row, _, _ in found],
        "households": [row["household_id"] for row, _, _ in found],
        "divisions": [row["division_code"] for row, _, _ in found],
        "subjects": [finding.subject_id for _, finding, _ in found],
        "sources": [finding.source.value for _, finding, _ in found],
        "kinds": [finding.kind.value for _, finding, _ in found],
        "severities": [finding.severity.value for _, finding, _ in found],
        "details": [orjson.dumps(finding.detail).decode() for _, finding, _ in found],
        "due_ons": [due.on if due else None for due in dues],
        "provisional": [bool(due and due.provisional) for due in dues],
        "needs": [need for _, _, need in found],
        "today": today,
        "now": clock.now(),
    }


# Facts of the day of the request, as they were known then.
_HOLD = text(
    "SELECT verification.*, CAST(archive.facts AS text) AS facts "
    "FROM verifications AS verification CROSS JOIN LATERAL ("
    "SELECT facts FROM household_versions AS known "
    "WHERE known.household_id = verification.household_id "
    "AND known.valid_from <= verification.requested_on "
    "AND known.revision <= verification.revision "
    "ORDER BY known.valid_from DESC, known.revision DESC LIMIT 1) AS archive "
    "WHERE verification.verification_id = ANY (CAST(:ids AS uuid[])) "
    "ORDER BY verification.verification_id FOR UPDATE OF verification"
)
_ANSWERED = text(
    "SELECT item.verification_id, item.subject_id, item.source, item.answer_encrypted "
    "FROM unnest(CAST(:households AS uuid[]), CAST(:ids AS uuid[])) AS of(household_id, id) "
    "JOIN verification_items AS item "
    "ON item.household_id = of.household_id AND item.verification_id = of.id "
    "WHERE item.answer_encrypted IS NOT NULL "
    "OR (item.state = 'nothing_found' AND item.source = ANY (CAST(:silent AS text[]))) "
    "ORDER BY item.verification_id, item.subject_id, item.source"
)
_NUMBERS = text(
    "SELECT member.household_id, person.person_id, person.id_number_encrypted "
    "FROM members AS member JOIN persons AS person ON person.person_id = member.person_id "
    "WHERE member.household_id = ANY (CAST(:ids AS uuid[])) AND member.left_on IS NULL "
    "AND person.id_number_encrypted IS NOT NULL"
)
_RECORD = text(
    "UPDATE verification_items AS item SET state = said.state, failure = said.failure, "
    "attempts = said.attempts, due_at = said.due_at, answer_encrypted = said.answer, "
    "sent_at = CASE WHEN item.state = :waiting AND said.state = :sent THEN :now "
    "ELSE item.sent_at END, "
    "answered_at = CASE WHEN said.state = ANY (CAST(:returned AS text[])) THEN :now END "
    "FROM unnest(CAST(:households AS uuid[]), CAST(:ids AS uuid[]), CAST(:subjects AS uuid[]), "
    "CAST(:sources AS text[]), CAST(:states AS text[]), CAST(:failures AS text[]), "
    "CAST(:attempts AS smallint[]), CAST(:dues AS timestamptz[]), CAST(:answers AS bytea[])) "
    "AS said(household_id, verification_id, subject_id, source, state, failure, attempts, "
    "due_at, answer) "
    "WHERE item.household_id = said.household_id "
    "AND item.verification_id = said.verification_id "
    "AND item.subject_id = said.subject_id AND item.source = said.source"
)
_RAISE = text(
    "INSERT INTO verification_doubts (doubt_id, verification_id, household_id, division_code, "
    "subject_id, source, kind, severity, detail, due_on, due_provisional, opened_on, words, "
    "proof, recorded_at, need) "
    "SELECT doubt_id, verification_id, household_id, division_code, subject_id, source, kind, "
    "severity, detail, due_on, due_provisional, :today, '', '', :now, "
    "CASE WHEN shows_need THEN 'waiting' END FROM unnest(CAST(:doubt_ids AS uuid[]), "
    "CAST(:ids AS uuid[]), CAST(:households AS uuid[]), CAST(:divisions AS text[]), "
    "CAST(:subjects AS uuid[]), CAST(:sources AS text[]), CAST(:kinds AS text[]), "
    "CAST(:severities AS text[]), CAST(:details AS jsonb[]), CAST(:due_ons AS date[]), "
    "CAST(:provisional AS boolean[]), CAST(:needs AS boolean[])) "
    "AS raised(doubt_id, verification_id, household_id, division_code, subject_id, source, kind, "
    "severity, detail, due_on, due_provisional, shows_need) "
    "ON CONFLICT (verification_id, subject_id, source, kind) DO NOTHING "
    "RETURNING doubt_id, verification_id, household_id, division_code, severity, due_on, "
    "due_provisional"
)
_STOP = text(
    "UPDATE verifications SET stopped_on = :today "
    "WHERE verification_id = ANY (CAST(:ids AS uuid[])) AND stopped_on IS NULL"
)
