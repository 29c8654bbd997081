"""The aid ledger and the guarantees: written from what other services publish, nobody else.

Set-based, one statement a batch; an older version never replaces a newer one, so twice and late
change nothing. Nothing is published here (no echoes).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.contracts.assistance import Assistance, Guarantee
from shared.db import driver_of


class UnknownHouseholdError(LookupError):
    """An event speaks of a household that the registry never issued: it must be parked."""

    def __init__(self, household_ids: Iterable[UUID]) -> None:
        named = ", ".join(str(household_id) for household_id in household_ids)
        super().__init__(f"the registry has no household {named}: ask the event's writer")


async def hold_households(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Keep the households where they are until the end. Raises UnknownHouseholdError.

    For whoever stores what another service says of households. The lock also orders a guarantee
    that turns red, or a sign of hardship, against a decision on the same household.
    """
    wanted = sorted(set(household_ids))
    rows = await driver_of(session).fetch(_HOLD, wanted)
    missing = set(wanted).difference(row["household_id"] for row in rows)
    if missing:
        raise UnknownHouseholdError(sorted(missing))


async def record_aid(
    session: AsyncSession, reported: Sequence[tuple[str, int, Assistance]]
) -> None:
    """Store measures (source, version, assistance). Raises UnknownHouseholdError naming the ids."""
    await hold_households(session, [aid.household_id for _, _, aid in reported])
    rows = [
        {
            "source": source,
            "version": version,
            **aid.model_dump(exclude={"person_ids"}),
            "person_ids": "{" + ",".join(map(str, aid.person_ids)) + "}",
        }
        for source, version, aid in reported
    ]
    await _upsert(session, _AID, rows)


async def record_guarantees(
    session: AsyncSession, reported: Sequence[tuple[str, int, Guarantee]]
) -> None:
    """Store guarantees (source, version, guarantee). Raises UnknownHouseholdError."""
    await hold_households(session, [given.household_id for _, _, given in reported])
    rows = [
        {"source": source, "version": version, **given.model_dump()}
        for source, version, given in reported
    ]
    await _upsert(session, _GUARANTEES, rows)


_HOLD = """
    SELECT household_id FROM households WHERE household_id = ANY ($1)
    ORDER BY household_id FOR SHARE
"""


class _Table:
    """A table filled from events: its key, its columns and how each one arrives."""

    def __init__(self, table: str, key: str, columns: Mapping[str, str]) -> None:
        self.columns = columns
        names = ", ".join(columns)
        arrays = ", ".join(
            f"${at}::{_sent(kind)}[]" for at, kind in enumerate(columns.values(), start=2)
        )
        values = ", ".join(f"CAST(sent.{column} AS {kind})" for column, kind in columns.items())
        changed = ", ".join(
            f"{column} = excluded.{column}"
            for column in (*columns, "division_code", "recorded_at")
            if column not in {"source", key}
        )
        self.order = (
            f"INSERT INTO {table} ({names}, division_code, recorded_at) "  # noqa: S608 (own names)
            f"SELECT {values}, households.division_code, $1::timestamptz FROM unnest({arrays}) "
            f"AS sent({names}) JOIN households ON households.household_id = sent.household_id "
            f"ON CONFLICT (source, {key}) DO UPDATE SET {changed} "
            f"WHERE {table}.version < excluded.version"
        )


def _sent(kind: str) -> str:
    # An array of arrays must be square; lists of their own length travel as text.
    return "text" if kind.endswith("[]") else kind


_AID = _Table(
    "aid_ledger",
    "assistance_id",
    {
        "source": "text",
        "assistance_id": "uuid",
        "household_id": "uuid",
        "person_ids": "uuid[]",
        "programme": "text",
        "status": "text",
        "amount": "numeric",
        "fund": "text",
        "month": "date",
        "granted_on": "date",
        "version": "bigint",
    },
)
_GUARANTEES = _Table(
    "guarantees",
    "guarantee_id",
    {
        "source": "text",
        "guarantee_id": "uuid",
        "household_id": "uuid",
        "kind": "text",
        "met": "boolean",
        "evidence_id": "text",
        "since": "date",
        "version": "bigint",
    },
)


async def _upsert(session: AsyncSession, table: _Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        sent = ([row[column] for row in rows] for column in table.columns)
        await driver_of(session).execute(table.order, clock.now(), *sent)
