"""How a step of an application is written down: the row, and its line in the audit log (C57)."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief import faults
from services.relief.temporary import sealed
from services.relief.temporary.models import Application, Step
from shared import audit, clock, identity
from shared.auth import Caller, officer_of

_CONFLICTS = frozenset({"application_decided", "fund_insufficient", "year_exhausted"})


refuse_if = partial(faults.refuse_if, conflicts=_CONFLICTS)
"""Raise the problem of these faults, named by the first and listing all; nothing for none."""


async def change(session: AsyncSession, application: Mapping[Any, Any], **columns: Any) -> None:
    """Change an application that the transaction holds."""
    theirs = Application.application_id == application["application_id"]
    await session.execute(
        update(Application).where(theirs).values(**columns, recorded_at=clock.now())
    )


async def step(
    session: AsyncSession,
    caller: Caller,
    application: Mapping[Any, Any],
    what: str,
    on: date,
    *,
    words: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write a step of an application, signed by the caller, with its audit line."""
    row = {
        "step_id": identity.new_id(),
        "application_id": application["application_id"],
        "division_code": application["division_code"],
        "step": what,
        "officer_id": officer_of(caller),
        "on_day": on,
        "words_encrypted": sealed.seal(words),
        "detail": dict(detail or {}),
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Step), [row])
    await audit.record(
        session,
        caller,
        action=f"temporary_assistance.{what}",
        subject_type="temporary_application",
        subject_id=application["application_id"],
        division_code=application["division_code"],
        detail=detail,
    )
