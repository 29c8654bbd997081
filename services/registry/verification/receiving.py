"""A late file of one source: each line matched by case number and person, each question once.

A file that comes twice changes nothing the second time; a line that cannot be taken is named with
its rule, and no other line suffers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed as households_sealed
from services.registry.verification import judging, recording, sealed
from services.registry.verification.judging import Asked, Verdict
from services.registry.verification.sources import RETURNED, ItemState, Source, SubjectKind
from shared import audit, clock
from shared.auth import Caller, officer_of
from shared.db import COVERED, driver_of
from shared.errors import Refused

MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line, counted from 1, that was not taken, and why."""

    line: int
    code: str


@dataclass(slots=True)
class Received:
    """What became of a file's lines."""

    lines: int = 0
    stored: int = 0
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)


async def receive(
    session: AsyncSession, caller: Caller, source: Source, content: bytes
) -> Received:
    """Take a file in. Raises Refused (``file_empty``, ``file_too_long``)."""
    officer_of(caller)
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines:
        raise Refused("file_empty", "the file holds no line")
    if len(lines) > MOST_LINES:
        raise Refused("file_too_long", f"a file holds up to {MOST_LINES:,} lines: split it")
    read = [_read(line) for line in lines]
    known = await _known(session, caller, source, read)
    received, verdicts = _sorted_out(read, known, source)
    await recording.record(session, verdicts)
    await audit.record(
        session,
        caller,
        action="verification.file_received",
        subject_type="verification_source",
        subject_id=source.value,
        division_code=caller.divisions[0] if caller.divisions else None,
        detail={"lines": received.lines, "stored": received.stored},
    )
    return received


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
        UUID(found["case_number"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return found if isinstance(found.get("id_number"), str) else None


def _sorted_out(
    read: Sequence[dict[str, Any] | None],
    known: Mapping[tuple[str, str], RowMapping],
    source: Source,
) -> tuple[Received, list[Verdict]]:
    received = Received(lines=len(read))
    verdicts: dict[tuple[str, str], Verdict] = {}
    for number, line in enumerate(read, start=1):
        if line is None:
            received.refusals.append(Refusal(number, "line_unreadable"))
            continue
        key = (str(UUID(line["case_number"])), line["id_number"])
        row = known.get(key)
        if row is None:
            received.refusals.append(Refusal(number, "person_not_in_case"))
            continue
        verdict = judging.answered(_asked(row, source, key[1]), line, today=clock.today())
        taken = verdicts.get(key)
        code = _refusal(row, verdict, taken)
        if code == _SAME:
            received.unchanged += 1
        elif code is not None:
            received.refusals.append(Refusal(number, code))
        else:
            verdicts[key] = verdict
            received.stored += 1
    wrong = {key for key, verdict in verdicts.items() if verdict.state is ItemState.FAILED}
    received.stored -= len(wrong)
    received.refusals += [
        Refusal(number, str(verdicts[key].failure))
        for number, line in enumerate(read, start=1)
        if line and (key := (str(UUID(line["case_number"])), line["id_number"])) in wrong
    ]
    received.refusals.sort(key=lambda refusal: refusal.line)
    return received, list(verdicts.values())


_SAME = "same"


def _refusal(row: RowMapping, verdict: Verdict, taken: Verdict | None) -> str | None:
    """Why a line is not taken; ``same`` where it says what is known, None where it is taken."""
    if taken is not None:
        return _SAME if taken == verdict else "line_repeated"
    if row["state"] in RETURNED:
        blob = row["answer_encrypted"]
        answer = sealed.read_answer(blob) if blob else None
        same = verdict.state == row["state"] and verdict.answer == answer
        return _SAME if same else "already_answered"
    if row["sent_at"] is None:
        return "never_asked"
    if row["stopped_on"] is not None:
        return judging.STOPPED
    return judging.NOT_LIVE if row["revoked_on"] is not None else None


def _asked(row: RowMapping, source: Source, id_number: str) -> Asked:
    return Asked(
        **{name: row[name] for name in ("household_id", "verification_id", "subject_id")},
        source=source,
        id_number=id_number,
        requested_at=row["requested_at"],
        attempts=row["attempts"],
    )


async def _known(
    session: AsyncSession,
    caller: Caller,
    source: Source,
    read: Sequence[dict[str, Any] | None],
) -> dict[tuple[str, str], Any]:
    """The questions of these cases at this source by case and ID number, locked."""
    cases = list({UUID(line["case_number"]) for line in read if line})
    rows = await driver_of(session).fetch(
        _CASES, source.value, cases, caller.divisions, SubjectKind.MEMBER.value
    )
    return {
        (
            str(row["verification_id"]),
            str(households_sealed.show_id_number(row["id_number_encrypted"], plain=True)),
        ): row
        for row in rows
    }


_CASES = f"""
    SELECT item.*, verification.requested_at, verification.stopped_on, signed.revoked_on,
        coalesce(person.id_number_encrypted, obligor.id_number_encrypted) AS id_number_encrypted
    FROM verifications AS verification
    JOIN verification_items AS item ON item.household_id = verification.household_id
        AND item.verification_id = verification.verification_id AND item.source = $1
    JOIN authorizations AS signed ON signed.authorization_id = item.authorization_id
    LEFT JOIN persons AS person
        ON item.subject_kind = $4 AND person.person_id = item.subject_id
    LEFT JOIN obligors AS obligor
        ON item.subject_kind <> $4 AND obligor.obligor_id = item.subject_id
    WHERE verification.verification_id = ANY ($2::uuid[])
        AND {COVERED.format(at=3, column="item.division_code")}
    ORDER BY item.household_id, item.verification_id, item.subject_id
    FOR UPDATE OF item
"""  # noqa: S608 (constants)
