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

_INSERT = """
    INSERT INTO audit_log (at, sub, officer_id, bureau, unit, action, subject_type, subject_id,
                           division_code, why, from_address, user_agent, correlation_id, detail)
    SELECT $1, $2, $3, $4, $5, $6, $7, subject_id, division_code, $10, $11, $12, $13, $14
    FROM unnest($8::text[], $9::text[]) AS subjects(subject_id, division_code)
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
    origin = logs.origin()
    values = (
        clock.now(),
        caller.sub,
        caller.officer_id,
        caller.bureau,
        caller.unit,
        action,
        subject_type,
        [str(subject) for subject in subjects],
        places,
        origin.why,
        origin.from_address,
        origin.user_agent,
        logs.correlation_id(),
        None if detail is None else orjson.dumps(scrub(detail)).decode(),
    )
    await write_at_the_end(session, Write(_INSERT, values))
