"""Making the report of a verification, and counting every print of it (section 4).

A report says consistent, doubtful or not returned; it never refuses anybody. What it says is kept
as it was made, names left out: who is meant is looked up, and masked, when it is shown.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households.actions import File
from services.registry.households.refusals import problem_of
from services.registry.households.rules import fault
from services.registry.integrity import queries as integrity
from services.registry.verification import queries, sealed
from services.registry.verification.models import Report
from services.registry.verification.sources import Conclusion, ItemState, Outcome, Source
from services.registry.verification.thresholds import REPORT_MONTHS
from shared import audit, clock, identity, parameters
from shared.auth import Caller, officer_of
from shared.errors import Conflict, NotFound

_SETTLED = frozenset({Outcome.EXPLAINED.value, Outcome.CORRECTED.value})


async def make(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    verification_id: UUID,
    *,
    missing_reason: str,
) -> UUID:
    """Make a report of what is known now; sources that are missing need an officer's reason.

    Raises NotFound, Conflict (``review_stopped``, ``answers_deleted``), or Refused
    (``sources_missing`` naming each, ``parameter_missing``).
    """
    officer, where = officer_of(caller), caller.divisions
    file = await households.lock_one(session, caller, household_id)
    row = await queries.one(session, household_id, verification_id, divisions=where)
    if row is None:
        raise NotFound("verification_not_found", "no such verification of this household")
    if row["stopped_on"] is not None:
        raise Conflict("review_stopped", "a death mark stopped it: correct the file and ask anew")
    items = await queries.items_of(session, household_id, verification_id, divisions=where)
    doubts = await queries.doubts_of(session, verification_id, divisions=where)
    if any(each["state"] == ItemState.ANSWERED and not each["answer_encrypted"] for each in items):
        raise Conflict("answers_deleted", "its raw answers are deleted by now: ask anew")
    content = _content(file, items, doubts)
    content["integrity"] = await _integrity(session, caller, file, content["obligors"])
    absent = queries.missing(items)
    _require_all(absent, missing_reason)
    report = {
        "report_id": identity.new_id(),
        "report_number": await _number(session, row["division_code"], clock.today().year),
        **{name: row[name] for name in ("verification_id", "household_id", "division_code")},
        "made_on": clock.today(),
        "made_at": clock.now(),
        "made_by": officer,
        "valid_until": await _valid_until(session, row["division_code"], clock.today()),
        "conclusion": concluded(doubts, absent).value,
        "missing_sources": [source.value for source in absent],
        "missing_reason": missing_reason.strip() if absent else "",
        "content_encrypted": sealed.seal_report(content),
        "print_count": 0,
    }
    await session.execute(insert(Report), [report])
    told = {"report_id": str(report["report_id"]), "conclusion": report["conclusion"]}
    await _note(session, caller, row, "verification.reported", told)
    report_id: UUID = report["report_id"]
    return report_id


async def count_print(session: AsyncSession, caller: Caller, report_id: UUID) -> None:
    """Count one more print of a report. Raises NotFound."""
    row = await queries.report(session, report_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("report_not_found", "no such report in the caller's divisions")
    await session.execute(
        update(Report)
        .where(Report.report_id == report_id)
        .values(print_count=Report.print_count + 1)
    )
    await _note(session, caller, row, "verification.printed", {"report_id": str(report_id)})


def concluded(doubts: Sequence[RowMapping], absent: Sequence[Source]) -> Conclusion:
    """What a report says: doubts that are open or hold first, then what is missing."""
    if any(doubt["outcome"] not in _SETTLED for doubt in doubts):
        return Conclusion.DOUBTFUL
    return Conclusion.NOT_RETURNED if absent else Conclusion.CONSISTENT


def _require_all(absent: Sequence[Source], missing_reason: str) -> None:
    if absent and not missing_reason.strip():
        raise problem_of(
            [
                fault(f"sources/{source.value}", "sources_missing", "未反馈,继续办理须由经办人说明")
                for source in absent
            ]
        )


def _content(
    file: File, items: Sequence[RowMapping], doubts: Sequence[RowMapping]
) -> dict[str, Any]:
    obligors = {str(each["subject_id"]) for each in items if each["subject_kind"] == "obligor"}
    return {
        "head_person_id": str(file.facts.head_person_id),
        "members": [
            {"subject_id": str(member.person_id), "relation": member.relation.value}
            for member in file.facts.members
        ],
        "obligors": sorted(obligors),
        "items": [_item(each) for each in items],
        "doubts": [
            {name: _plain(each[name]) for name in ("subject_id", "source", "kind", "outcome")}
            | {"detail": each["detail"]}
            for each in doubts
        ],
    }


async def _integrity(
    session: AsyncSession, caller: Caller, file: File, obligor_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """What stands of these people in the integrity records today, wherever it was found."""
    members = [member.person_id for member in file.facts.members]
    subjects = await queries.hashes_of(session, members)
    known = await queries.obligors_of(session, file.household_id, divisions=caller.divisions)
    subjects |= {
        each["obligor_id"]: each["id_number_hash"]
        for each in known
        if str(each["obligor_id"]) in obligor_ids
    }
    rows = await integrity.standing(session, subjects, clock.today())
    return [{name: _plain(row[name]) for name in _RECORD} for row in rows]


_RECORD = ("subject_id", "kind", "document", "found_on", "valid_until")


def _item(item: RowMapping) -> dict[str, Any]:
    blob = item["answer_encrypted"]
    return {
        **{
            name: _plain(item[name])
            for name in ("subject_id", "source", "state", "failure", "answered_at")
        },
        "answer": sealed.read_answer(blob) if blob else None,
    }


def _plain(value: Any) -> Any:
    return value if value is None else str(value)


async def _valid_until(session: AsyncSession, division_code: str, made_on: date) -> date:
    months = await parameters.value_at(session, REPORT_MONTHS, division_code, made_on)
    if months is None:
        message = f"缺少已批准的参数{REPORT_MONTHS},不能出具报告"
        raise problem_of([fault(REPORT_MONTHS, "parameter_missing", message)])
    return clock.add_months(made_on, int(months.value))


async def _number(session: AsyncSession, division_code: str, year: int) -> str:
    """Village, year, serial: 331124002221-2026-0001 is the first report there that year."""
    serial = await session.scalar(_SERIAL, {"code": division_code, "year": year})
    return f"{division_code}-{year}-{serial:04d}"


_SERIAL = text(
    "INSERT INTO verification_serials AS known (division_code, year, last) "
    "VALUES (:code, :year, 1) ON CONFLICT (division_code, year) "
    "DO UPDATE SET last = known.last + 1 RETURNING last"
)


async def _note(
    session: AsyncSession,
    caller: Caller,
    row: Mapping[str, Any] | RowMapping,
    action: str,
    detail: Mapping[str, Any],
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail=detail,
    )
