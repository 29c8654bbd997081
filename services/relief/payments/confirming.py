"""Whether what was ordered can be confirmed as paid: once it is over, once, by another officer."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments.rules import confirmation_fault
from shared import clock, jobs
from shared.errors import Conflict, Refused


async def refuse_confirmation(
    session: AsyncSession, order: Mapping[Any, Any], *, paid_on: date, officer: str, what: str
) -> None:
    """Raise for an order that cannot be confirmed; ``what`` names it in the codes.

    ``order`` is its row, held: job, days and officers. Raises Conflict (``<what>_not_over``,
    ``<what>_confirmed``, ``same_officer``) and Refused (``paid_on_impossible``).
    """
    await refuse_unless_over(session, order, what=what)
    if order["paid_on"] is not None:
        raise Conflict(f"{what}_confirmed", f"it was confirmed as paid on {order['paid_on']}")
    fault = confirmation_fault(
        ordered_on=clock.day_of(order["created_at"]),
        ordered_by=order["created_by"],
        paid_on=paid_on,
        officer=officer,
        today=clock.today(),
    )
    if fault is not None:
        raise (Conflict if fault[0] == "same_officer" else Refused)(*fault)


async def refuse_unless_over(session: AsyncSession, order: Mapping[Any, Any], *, what: str) -> None:
    """Raises Conflict (``<what>_not_over``) until the order's job has succeeded."""
    job = await jobs.find(session, order["job_id"])
    if job is None or job.state != "succeeded":
        raise Conflict(
            f"{what}_not_over", f"the {what} is still being worked on: wait for its job to succeed"
        )
