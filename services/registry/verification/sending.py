"""One round with one source: what is due is sent, what was sent is asked for, all is written down.

The questions in hand are locked, so two workers never send one twice; the authorisations they rest
on are held until the round is committed, so a revocation waits for it, and none leaves after.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import sealed as households_sealed
from services.registry.verification import judging, recording, sealed
from services.registry.verification.client import (
    SourceClient,
    SourceDownError,
    SourceRefusedError,
)
from services.registry.verification.judging import Asked, Verdict
from services.registry.verification.sources import ItemState, Source, SubjectKind
from shared import clock

BATCH = 500
"""Questions in one call."""


async def due_sources(session: AsyncSession) -> list[Source]:
    """The sources at which something is to be done now."""
    rows = await session.execute(
        _DUE_SOURCES, {"sources": [source.value for source in Source], "now": clock.now()}
    )
    return [Source(each) for each in rows.scalars()]


async def exchange(
    session: AsyncSession, client: SourceClient, source: Source, *, patience: timedelta
) -> int:
    """A round with ``source`` in the session's transaction; how many questions it dealt with."""
    claimed = await _claim(session, source)
    if not claimed:
        return 0
    allowed = await _allowed(session, {row["authorization_id"] for row in claimed}, source)
    verdicts: list[Verdict] = []
    to_send: list[tuple[Asked, RowMapping]] = []
    to_fetch: list[Asked] = []
    for row in claimed:
        asked = _asked(row, source)
        refusal = _refusal(asked, row, allowed)
        if refusal is not None:
            verdicts.append(judging.failed(asked, refusal))
        elif row["state"] == ItemState.WAITING:
            to_send.append((asked, row))
        else:
            to_fetch.append(asked)
    verdicts += await _send(client, source, to_send, patience)
    verdicts += await _fetch(client, source, to_fetch, patience)
    await recording.record(session, verdicts)
    return len(claimed)


def _refusal(asked: Asked, row: RowMapping, allowed: Collection[UUID]) -> str | None:
    """Why nothing leaves, and nothing is taken, for this question any more."""
    if row["stopped_on"] is not None:
        return judging.STOPPED
    if row["authorization_id"] not in allowed:
        return judging.NOT_LIVE
    return judging.NO_NUMBER if asked.id_number is None else None


async def _send(
    client: SourceClient,
    source: Source,
    questions: Sequence[tuple[Asked, RowMapping]],
    patience: timedelta,
) -> list[Verdict]:
    if not questions:
        return []
    now = clock.now()
    try:
        await client.send(source, [_query(asked, row) for asked, row in questions])
    except SourceDownError:
        return [
            judging.put_off(
                asked,
                ItemState.WAITING,
                now=now,
                patience=patience,
                failure=judging.UNREACHABLE,
            )
            for asked, _ in questions
        ]
    except SourceRefusedError as refused:
        return [judging.failed(asked, str(refused)) for asked, _ in questions]
    return [judging.sent(asked, now=now) for asked, _ in questions]


async def _fetch(
    client: SourceClient, source: Source, questions: Sequence[Asked], patience: timedelta
) -> list[Verdict]:
    if not questions:
        return []
    now, failure = clock.now(), None
    said: dict[tuple[str, str], Mapping[str, Any]] = {}
    try:
        for answer in await client.fetch(source, [_reference(asked) for asked in questions]):
            said[str(answer.get("case_number")), str(answer.get("reference"))] = answer
    except SourceDownError:
        failure = judging.UNREACHABLE
    except SourceRefusedError as refused:
        return [judging.failed(asked, str(refused)) for asked in questions]
    if failure:
        return [
            judging.put_off(asked, ItemState.SENT, now=now, patience=patience, failure=failure)
            for asked in questions
        ]
    return [
        judging.judged(
            asked,
            said.get((str(asked.verification_id), str(asked.subject_id))),
            now=now,
            today=clock.today(),
            patience=patience,
        )
        for asked in questions
    ]


def _reference(asked: Asked) -> dict[str, str]:
    return {"case_number": str(asked.verification_id), "reference": str(asked.subject_id)}


def _query(asked: Asked, row: RowMapping) -> dict[str, Any]:
    return {
        **_reference(asked),
        "id_number": asked.id_number,
        "name": row["name"] or sealed.show_name(row["name_encrypted"], plain=True),
        "aid_type": row["aid_type"],
        "window_from": row["window_from"].isoformat(),
        "window_to": row["window_to"].isoformat(),
    }


def _asked(row: RowMapping, source: Source) -> Asked:
    return Asked(
        household_id=row["household_id"],
        verification_id=row["verification_id"],
        subject_id=row["subject_id"],
        source=source,
        id_number=households_sealed.show_id_number(row["id_number_encrypted"], plain=True),
        requested_at=row["requested_at"],
        attempts=row["attempts"],
    )


async def _claim(session: AsyncSession, source: Source) -> Sequence[RowMapping]:
    rows = await session.execute(
        _CLAIM,
        {
            "source": source.value,
            "now": clock.now(),
            "most": BATCH,
            "member": SubjectKind.MEMBER.value,
        },
    )
    return rows.mappings().all()


async def _allowed(
    session: AsyncSession, authorization_ids: Collection[UUID], source: Source
) -> set[UUID]:
    """Which of these hold today for this source; locked, so that they hold until the end."""
    rows = await session.execute(
        _HOLD,
        {"ids": list(authorization_ids), "today": clock.today(), "source": source.value},
    )
    return {row.authorization_id for row in rows if row.live}


_DUE_SOURCES = text(
    "SELECT source FROM unnest(CAST(:sources AS text[])) AS wanted(source) WHERE EXISTS ("
    "SELECT FROM verification_items AS item WHERE item.source = wanted.source "
    "AND item.due_at <= :now)"
)
_CLAIM = text(
    "SELECT item.household_id, item.verification_id, item.subject_id, item.authorization_id, "
    "item.state, item.attempts, verification.requested_at, verification.stopped_on, "
    "verification.aid_type, verification.window_from, verification.window_to, "
    "person.name, obligor.name_encrypted, "
    "coalesce(person.id_number_encrypted, obligor.id_number_encrypted) AS id_number_encrypted "
    "FROM verification_items AS item "
    "JOIN verifications AS verification "
    "ON verification.verification_id = item.verification_id "
    "LEFT JOIN persons AS person "
    "ON item.subject_kind = :member AND person.person_id = item.subject_id "
    "LEFT JOIN obligors AS obligor "
    "ON item.subject_kind <> :member AND obligor.obligor_id = item.subject_id "
    "WHERE item.source = :source AND item.due_at <= :now "
    "ORDER BY item.due_at LIMIT :most FOR UPDATE OF item SKIP LOCKED"
)
_HOLD = text(
    "SELECT authorization_id, revoked_on IS NULL AND :today BETWEEN valid_from AND valid_to "
    "AND :source = ANY (sources) AS live FROM authorizations "
    "WHERE authorization_id = ANY (CAST(:ids AS uuid[])) "
    "ORDER BY authorization_id FOR SHARE"
)
