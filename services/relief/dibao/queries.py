"""What is asked of dibao grants: by its actions, by the payment run and by the API."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao.models import Grant
from services.relief.dibao.rules import Line
from services.relief.schedules import queries as schedules
from services.relief.standards.rules import DIBAO_LINE

schedule_of = partial(schedules.schedule_of, Grant)
grant_by_id = partial(schedules.grant_by_id, Grant)
grants_of_month = partial(schedules.grants_of_month, Grant)
due_grants = partial(schedules.due_grants, Grant)
households_with_grants = partial(schedules.households_with_grants, Grant)
count_households_with_grants = partial(schedules.count_households_with_grants, Grant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A division's month: how many households and people are on dibao, and what it comes to.

    ``missing_standard`` counts the households whose amount waits for a line; ``total_yuan`` and
    ``above_zero`` leave them out, ``households`` and ``people`` do not.
    """

    households: int
    above_zero: int
    people: int
    missing_standard: int
    total_yuan: Decimal


async def summary_of_month(
    session: AsyncSession, month: date, within: Sequence[Sequence[str]]
) -> Summary:
    """The figures of a division's month."""
    return Summary(**await schedules.figures_of_month(Grant, session, month, within, {}))


async def lines_over_time(
    session: AsyncSession, division_codes: Collection[str]
) -> dict[str, list[Line]]:
    """For each of these divisions the approved lines that hold there one after the other."""
    found = await schedules.figures_over_time(session, (DIBAO_LINE,), division_codes)
    return {code: figures[DIBAO_LINE] for code, figures in found.items()}
