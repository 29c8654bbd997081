"""Asking for public notices and taking them back, and keeping what notify says of them (C60).

Every change of a request is made under its household's row lock and published with the next
version. What notify says is stored and publishes nothing (no echoes).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import rules as household_rules
from services.registry.households.actions import File
from services.registry.households.refusals import refuse_if
from services.registry.ledger import actions as ledger
from services.registry.notices import queries, rules
from services.registry.notices.models import NoticeRequest
from services.registry.notices.rules import Wish
from shared import audit, clock, events, identity
from shared.auth import Caller
from shared.contracts import notices as contract
from shared.contracts.notices import NOTICE_REQUESTED, Notice
from shared.contracts.registry import State
from shared.contracts.topics import REGISTRY_NOTICES
from shared.errors import Conflict, NotFound

FILE_MOVED_ON = "档案状态已变更,公示不再需要"
"""Why the registry itself takes a request back."""


class UnknownRequestError(LookupError):
    """Notify speaks of a request that the registry never made: it must be parked."""

    def __init__(self, request_ids: Iterable[UUID]) -> None:
        named = ", ".join(str(request_id) for request_id in request_ids)
        super().__init__(f"the registry never asked for the notice {named}: ask notify")


async def request(session: AsyncSession, caller: Caller, household_id: UUID, wish: Wish) -> UUID:
    """Ask for a notice; gives the id of the request.

    Raises NotFound, Refused listing every fault, Conflict (``notice_open``) while a notice of this
    kind still runs for the household.
    """
    file = await households.lock_one(session, caller, household_id)
    today = clock.today()
    faults = household_rules.officer_faults(caller.officer_id)
    faults += rules.wish_faults(file.facts, wish, on=today)
    refuse_if(faults)
    known = await queries.announcements(session, household_id, divisions=caller.divisions)
    if any(each.is_open and each.kind is wish.kind for each in known):
        raise Conflict(
            "notice_open",
            f"a notice of the kind {wish.kind} is open for this household: "
            "wait for its end or withdraw it",
        )
    row = _row(caller, file, wish, today)
    await session.execute(insert(NoticeRequest), [row])
    await _publish(session, [row])
    await _audit(session, caller, "notice.requested", row)
    return UUID(str(row["notice_request_id"]))


async def withdraw(
    session: AsyncSession, caller: Caller, household_id: UUID, request_id: UUID, reason: str
) -> None:
    """Take a request back before its notice has ended; once withdrawn it stays so.

    Raises NotFound, Refused (no reason, no officer), Conflict (``notice_closed``).
    """
    await households.lock_one(session, caller, household_id)
    faults = household_rules.officer_faults(caller.officer_id)
    if not reason.strip():
        faults.append(household_rules.fault("reason", "reason_missing", "须以文字写明理由"))
    refuse_if(faults)
    rows = await queries.notices_of(session, household_id, divisions=caller.divisions)
    row = next((row for row in rows if row["notice_request_id"] == request_id), None)
    if row is None:
        raise NotFound("notice_not_found", "this household has no such notice request")
    if not queries.announcement(row).is_open:
        raise Conflict("notice_closed", "this notice has ended or was withdrawn already")
    await _take_back(session, caller, [row], reason.strip())


async def withdraw_unfitting(
    session: AsyncSession, caller: Caller, household_id: UUID, state: State
) -> None:
    """Take back every open request that nothing can follow in the file's new ``state``.

    The caller holds the household's row lock. Example: a file is refused during its notice.
    """
    rows = [
        row
        for row in await queries.notices_of(session, household_id, divisions=caller.divisions)
        if (announced := queries.announcement(row)).is_open
        and state not in rules.ASKED_FROM[announced.kind]
    ]
    await _take_back(session, caller, rows, FILE_MOVED_ON)


async def record_notices(session: AsyncSession, reported: Sequence[tuple[int, Notice]]) -> None:
    """Store what notify says (version, notice); an older version never replaces a newer one.

    Raises UnknownHouseholdError or UnknownRequestError naming the ids.
    """
    await ledger.hold_households(session, [notice.household_id for _, notice in reported])
    await _refuse_unknown(session, [notice for _, notice in reported])
    if reported:
        rows = [notice.model_dump() | {"version": version} for version, notice in reported]
        sent = {name: [row[name] for row in rows] for name in _NOTICE}
        await session.execute(_RECORD, sent | {"now": clock.now()})


def _row(caller: Caller, file: File, wish: Wish, today: date) -> dict[str, Any]:
    facts = file.facts
    applicant = rules.applicant(facts, wish, on=today)
    return {
        "notice_request_id": identity.new_id(),
        "household_id": file.household_id,
        "division_code": facts.division_code,
        "kind": wish.kind.value,
        "episode": rules.episode_of(wish.kind, facts),
        "category": rules.category_of(facts, wish),
        "n": facts.n,
        "announced_in": facts.division_code,
        "amount": wish.amount,
        "applicant_person_id": applicant.person_id if applicant else None,
        "applicant_birth_date": applicant.birth_date if applicant else None,
        "requested_on": today,
        "requested_by": caller.officer_id,
        "withdrawn_on": None,
        "version": 1,
        "recorded_at": clock.now(),
    }


async def _take_back(
    session: AsyncSession, caller: Caller, rows: Sequence[Mapping[Any, Any]], reason: str
) -> None:
    changed = {
        "withdrawn_on": clock.today(),
        "withdrawn_by": caller.officer_id or caller.sub,
        "withdrawn_reason": reason,
        "recorded_at": clock.now(),
    }
    for row in rows:
        new = dict(row) | changed | {"version": row["version"] + 1}
        await session.execute(
            update(NoticeRequest)
            .where(NoticeRequest.notice_request_id == row["notice_request_id"])
            .values(**changed, version=new["version"])
        )
        await _publish(session, [new])
        await _audit(session, caller, "notice.withdrawn", new)


async def _publish(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    await events.publish(
        session,
        [
            events.NewEvent(
                topic=REGISTRY_NOTICES,
                type=NOTICE_REQUESTED,
                subject=row["notice_request_id"],
                version=row["version"],
                episode=row["episode"],
                payload=contract.NoticeRequest.model_validate(
                    {**row, "withdrawn": row["withdrawn_on"] is not None}
                ),
            )
            for row in rows
        ],
    )


async def _audit(
    session: AsyncSession, caller: Caller, action: str, row: Mapping[str, Any]
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={
            "notice_request_id": str(row["notice_request_id"]),
            "kind": row["kind"],
            "version": row["version"],
        },
    )


async def _refuse_unknown(session: AsyncSession, reported: Sequence[Notice]) -> None:
    wanted = {(each.notice_request_id, each.household_id) for each in reported}
    known = await session.execute(
        text(
            "SELECT notice_request_id, household_id FROM notice_requests "
            "WHERE notice_request_id = ANY(:ids)"
        ),
        {"ids": [request_id for request_id, _ in wanted]},
    )
    missing = wanted - {(row.notice_request_id, row.household_id) for row in known}
    if missing:
        raise UnknownRequestError(sorted(request_id for request_id, _ in missing))


_NOTICE = {
    "notice_id": "uuid",
    "notice_request_id": "uuid",
    "household_id": "uuid",
    "status": "text",
    "posted_on": "date",
    "last_day": "date",
    "objections": "integer",
    "outcome": "text",
    "refusal": "text",
    "closed_on": "date",
    "version": "bigint",
}
_NAMES = ", ".join(_NOTICE)
_RECORD = text(
    f"INSERT INTO notices ({_NAMES}, division_code, recorded_at) "  # noqa: S608 (own names)
    f"SELECT sent.*, households.division_code, :now FROM unnest("
    f"{', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _NOTICE.items())}"
    f") AS sent({_NAMES}) JOIN households ON households.household_id = sent.household_id "
    f"ON CONFLICT (notice_id) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in _NOTICE if name != 'notice_id')}, "
    "division_code = excluded.division_code, recorded_at = excluded.recorded_at "
    "WHERE notices.version < excluded.version"
)
