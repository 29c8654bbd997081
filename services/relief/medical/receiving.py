"""Taking in a partner's daily settlement file (section 9): every line once, with a verdict.

A settlement is known by partner and number. Sent again it is unchanged; with other content it is
refused, as is a line of a person whom the token's divisions do not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical.lines import MOST_LINES, LineIn, Read
from shared import audit, clock, identity, jobs
from shared.auth import Caller
from shared.db import COVERED, driver_of
from shared.errors import Fault, Refused, TooLarge

SETTLE = "relief.settle_medical"
"""The job that decides on the settlements of one file."""


class Result(StrEnum):
    """What became of a line."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one line, counted from 1."""

    at: int
    settlement_no: str | None
    result: Result
    settlement_id: UUID | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file taken in. ``job_id`` is the job that decides on what is new; None where nothing is."""

    file_id: UUID
    job_id: UUID | None
    verdicts: tuple[Verdict, ...]


async def receive(session: AsyncSession, caller: Caller, lines: Sequence[Read]) -> Received:
    """Store the new lines of a file and order the decision on them; one verdict a line.

    Raises Refused (``file_empty``) and TooLarge (``file_too_long``).
    """
    if not lines:
        raise Refused("file_empty", "the file holds no line")
    if len(lines) > MOST_LINES:
        raise TooLarge("file_too_long", f"send at most {MOST_LINES:,} lines at once: split it")
    file_id = identity.new_id()
    verdicts = await _verdicts(session, caller, lines, file_id)
    stored = sum(each.result is Result.STORED for each in verdicts)
    job_id = None
    division_code = caller.divisions[0] if caller.divisions else None
    if stored and division_code:
        arguments = {"file_id": str(file_id)}
        job_id = (await jobs.enqueue(session, caller, SETTLE, arguments, division_code)).job_id
    await audit.record(
        session,
        caller,
        action="medical_settlements.received",
        subject_type="medical_file",
        subject_id=file_id,
        division_code=division_code,
        detail={"lines": len(lines), "stored": stored},
    )
    return Received(file_id=file_id, job_id=job_id, verdicts=tuple(verdicts))


async def _verdicts(
    session: AsyncSession, caller: Caller, lines: Sequence[Read], file_id: UUID
) -> list[Verdict]:
    whole = {read.at: read.line for read in lines if read.line and not read.faults}
    homes = await _homes(session, caller, {line.person_id for line in whole.values()})
    first: dict[str, LineIn] = {}
    for line in whole.values():
        if line.person_id in homes:
            first.setdefault(line.settlement_no, line)
    written = await _store(session, caller, list(first.values()), homes, file_id)
    known = await _known(session, caller, list(first))
    told: list[Verdict] = []
    for read in lines:
        verdict = _verdict(read, homes, known, written)
        if verdict.result is Result.STORED:
            written.discard(str(read.settlement_no))  # a second line of the number is unchanged
        told.append(verdict)
    return told


def _verdict(
    read: Read, homes: Mapping[UUID, Record], known: Mapping[str, Record], written: set[str]
) -> Verdict:
    line = read.line
    if line is None or read.faults:
        return _refused(read, *read.faults)
    row = known.get(line.settlement_no)
    if row is not None and _said(row) != line:
        text = "该结算单号已用于其他内容,更正请用新的单号"
        return _refused(read, Fault("#/settlement_no", "settlement_number_reused", text))
    if line.person_id not in homes:
        return _refused(read, _UNKNOWN)
    if row is None:
        text = "该结算单号已登记在其他地区"
        return _refused(read, Fault("#/settlement_no", "settlement_number_taken", text))
    return Verdict(
        at=read.at,
        settlement_no=line.settlement_no,
        result=Result.STORED if line.settlement_no in written else Result.UNCHANGED,
        settlement_id=row["settlement_id"],
    )


_UNKNOWN = Fault("#/person_id", "person_unknown", "所辖范围内没有此人,请先核对人员编号")


def _refused(read: Read, *faults: Fault) -> Verdict:
    number = read.settlement_no
    return Verdict(at=read.at, settlement_no=number, result=Result.REFUSED, faults=faults)


def _said(row: Record) -> LineIn:
    return LineIn(**{name: row[name] for name in LineIn.model_fields})


async def _homes(session: AsyncSession, caller: Caller, people: set[UUID]) -> dict[UUID, Record]:
    """The household of each person that the caller may see; of several, the newest file."""
    rows = await driver_of(session).fetch(_HOMES, list(people), list(caller.divisions))
    return {row["person_id"]: row for row in rows}


async def _store(
    session: AsyncSession,
    caller: Caller,
    lines: Sequence[LineIn],
    homes: Mapping[UUID, Record],
    file_id: UUID,
) -> set[str]:
    """The numbers that were new. In their order, so that two files never wait in a ring."""
    rows = [
        _row(line, homes[line.person_id]) for line in sorted(lines, key=lambda x: x.settlement_no)
    ]
    columns = [[row[name] for row in rows] for name in _COLUMNS]
    written = await driver_of(session).fetch(_STORE, file_id, caller.sub, clock.now(), *columns)
    return {row["settlement_no"] for row in written}


def _row(line: LineIn, home: Record) -> dict[str, Any]:
    return {
        **dict(line),
        "settlement_id": identity.new_id(),
        "household_id": home["household_id"],
        "division_code": home["division_code"],
    }


async def _known(session: AsyncSession, caller: Caller, numbers: list[str]) -> dict[str, Record]:
    rows = await driver_of(session).fetch(_KNOWN, caller.sub, numbers, list(caller.divisions))
    return {row["settlement_no"]: row for row in rows}


_COLUMNS = {
    "settlement_id": "uuid",
    "settlement_no": "text",
    "person_id": "uuid",
    "household_id": "uuid",
    "division_code": "text",
    "discharged_on": "date",
    "cost": "numeric",
    "off_list": "numeric",
    "basic_paid": "numeric",
    "critical_paid": "numeric",
    "other_paid": "numeric",
}
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_COLUMNS.values(), start=4))
_STORE = f"""
    INSERT INTO medical_settlements (file_id, partner, received_at, {", ".join(_COLUMNS)})
    SELECT $1::uuid, $2::text, $3::timestamptz, sent.* FROM unnest({_ARRAYS}) AS sent
    ON CONFLICT (partner, settlement_no) DO NOTHING
    RETURNING settlement_no
"""  # noqa: S608 (own names)
_HOMES = f"""
    SELECT DISTINCT ON (member.person_id)
        member.person_id, copy.household_id, copy.division_code
    FROM member_copy AS member JOIN household_copy AS copy USING (household_id)
    WHERE member.person_id = ANY ($1::uuid[])
        AND {COVERED.format(at=2, column="copy.division_code")}
    ORDER BY member.person_id, (copy.state = 'closed'), copy.household_id DESC
"""  # noqa: S608 (constants)
_KNOWN = f"""
    SELECT * FROM medical_settlements
    WHERE partner = $1 AND settlement_no = ANY ($2::text[])
        AND {COVERED.format(at=3, column="division_code")}
"""  # noqa: S608 (constants)
