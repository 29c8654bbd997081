"""The append-only record of who read or decided what, when, why and from where.

Every read of personal data and every decision stands in it (PIPL duties, policy section 7), in the
same transaction as the deed: no deed without its line, no line without its deed.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, logs
from shared.auth import Caller
from shared.db import platform_metadata
from shared.scrubbing import scrub
from shared.together import Write, write_at_the_end

Subject = str | UUID

audit_log = Table(
    "audit_log",
    platform_metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
    Column("sub", Text, nullable=False),
    Column("officer_id", Text),
    Column("bureau", Text),
    Column("unit", Text),
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("division_code", Text(collation="C")),
    Column("why", Text),
    Column("from_address", Text),
    Column("user_agent", Text),
    Column("correlation_id", Text, nullable=False),
    Column("detail", JSONB),
    Index(None, "subject_type", "subject_id"),
)

_ORDER = (
    "at",
    "sub",
    "officer_id",
    "bureau",
    "unit",
    "action",
    "subject_type",
    "why",
    "from_address",
    "user_agent",
    "correlation_id",
    "detail",
)
LINE_VALUES = len(_ORDER)
"""How many parameters ``OF_SHOWN`` takes, from ``$1`` on: those that ``line`` gives."""
_LINES = f"""
    INSERT INTO audit_log ({", ".join(_ORDER)}, subject_id, division_code)
    SELECT {", ".join(f"${at}" for at in range(1, LINE_VALUES + 1))}, subject_id, division_code
"""
OF_SHOWN = f"{_LINES} FROM shown"
"""A line for every row of a CTE ``shown`` that has ``subject_id`` and ``division_code``."""
_OF_SUBJECTS = f"""{_LINES}
    FROM unnest(${LINE_VALUES + 1}::text[], ${LINE_VALUES + 2}::text[])
        AS subjects(subject_id, division_code)
"""


async def record(
    session: AsyncSession,
    caller: Caller,
    *,
    action: str,
    subject_type: str,
    subject_id: Subject | Sequence[Subject],
    division_code: str | Sequence[str | None] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one line a subject, in one statement; no subjects, no line.

    ``action`` is ``noun.verb`` (``person.resolved``). ``division_code`` is where the subjects are,
    one for all or one each; readers of the log see only their own divisions' lines. ``detail``
    holds codes and counts, never personal data; what looks like a person's number is masked.
    """
    subjects = [subject_id] if isinstance(subject_id, str | UUID) else list(subject_id)
    if not subjects:
        return
    if division_code is None or isinstance(division_code, str):
        places: list[str | None] = [division_code] * len(subjects)
    else:
        places = list(division_code)
    if len(places) != len(subjects):
        raise ValueError(f"{len(places)} division codes for {len(subjects)} subjects")
    values = line(caller, action=action, subject_type=subject_type, detail=detail)
    names = [str(subject) for subject in subjects]
    await write_at_the_end(session, Write(_OF_SUBJECTS, (*values, names, places)))


async def record_rows(
    session: AsyncSession,
    caller: Caller,
    rows: Sequence[Mapping[Any, Any]],
    *,
    action: str,
    subject_type: str,
    subject: str,
) -> None:
    """Write one line a row that was shown: column ``subject`` says what it is about.

    Each row has its ``division_code``. Example: a page of dropout cases with subject ``case_id``.
    """
    await record(
        session,
        caller,
        action=action,
        subject_type=subject_type,
        subject_id=[row[subject] for row in rows],
        division_code=[row["division_code"] for row in rows],
    )


def line(
    caller: Caller, *, action: str, subject_type: str, detail: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """What a line holds beside its subject: who, when, what, why and from where."""
    origin = logs.origin()
    return (
        clock.now(),
        caller.sub,
        caller.officer_id,
        caller.bureau,
        caller.unit,
        action,
        subject_type,
        origin.why,
        origin.from_address,
        origin.user_agent,
        logs.correlation_id(),
        None if detail is None else orjson.dumps(scrub(detail)).decode(),
    )
