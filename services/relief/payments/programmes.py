"""Where each programme's due money comes from: how its households are settled and looked up."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao import actions as dibao_actions
from services.relief.dibao import queries as dibao
from services.relief.payments.rules import Programme
from services.relief.tekun import actions as tekun_actions
from services.relief.tekun import queries as tekun


class _Settle(Protocol):
    def __call__(
        self, session: AsyncSession, household_ids: Sequence[UUID], /
    ) -> Awaitable[int]: ...


class _Due(Protocol):
    def __call__(
        self,
        session: AsyncSession,
        household_ids: Sequence[UUID],
        month: date,
        division: str,
        /,
    ) -> Awaitable[Sequence[RowMapping]]: ...


class _Next(Protocol):
    def __call__(
        self, session: AsyncSession, division: str, /, *, after: UUID | None, limit: int
    ) -> Awaitable[list[UUID]]: ...


class _Count(Protocol):
    def __call__(self, session: AsyncSession, division: str, /) -> Awaitable[int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a run asks of its programme. ``due`` rows have grant_id, household_id and amount."""

    settle: _Settle
    due: _Due
    next_households: _Next
    count_households: _Count


SOURCES: Mapping[Programme, Source] = {
    Programme.DIBAO: Source(
        settle=dibao_actions.settle_grants,
        due=dibao.due_grants,
        next_households=dibao.households_with_grants,
        count_households=dibao.count_households_with_grants,
    ),
    Programme.TEKUN: Source(
        settle=tekun_actions.settle_grants,
        due=tekun.due_grants,
        next_households=tekun.households_with_grants,
        count_households=tekun.count_households_with_grants,
    ),
}
