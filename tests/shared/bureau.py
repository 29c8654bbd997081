"""What the tests of parameters share: two definitions, officers, and a bureau at work."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared import parameters
from shared.auth import Caller
from shared.db import Database
from shared.parameter_values import PARAMETERS
from shared.parameters import Definition, Entry, Parameter

COUNTY, TOWNSHIP, VILLAGE, CITY = "331124", "331124101", "331124101201", "331100"
DEFINITIONS = {
    "dibao_line": Definition(
        key="dibao_line",
        unit="yuan/month",
        minimum=Decimal(100),
        maximum=Decimal(10_000),
        description_zh="低保标准(元/月)",
        scopes=("city", "county"),
    ),
    "grant_ratio": Definition(
        key="grant_ratio",
        unit="ratio",
        minimum=Decimal(0),
        maximum=Decimal(1),
        description_zh="比例",
    ),
}


def officer(name: str | None, *places: str) -> Caller:
    """Someone of these divisions (the county's, unless named)."""
    return Caller(sub=f"sub-{name}", officer_id=name, divisions=places or (COUNTY,))


ANNE, BO, CITY_ANNE, CITY_BO = (
    officer("anne"),
    officer("bo"),
    officer("anne", "3311"),
    officer("bo", "3311"),
)


def entry(valid_from: date | str, value: str = "1150", **fields: Any) -> Entry:
    """The line of the county from a day on."""
    known = {"key": "dibao_line", "division_code": COUNTY, "document_number": "松民〔2026〕1号"}
    return Entry.model_validate(known | {"valid_from": valid_from, "value": value} | fields)


@dataclass
class Bureau:
    """The actions as the api's role carries them out, each in a transaction of its own."""

    database: Database
    published: list[Parameter] = field(default_factory=list)
    inside: asyncio.Event | None = None
    go_on: asyncio.Event | None = None

    async def enter(self, caller: Caller, wanted: Entry) -> Parameter:
        """Enter a value."""
        async with self.database.transaction(divisions=caller.divisions) as session:
            return await parameters.enter(session, caller, DEFINITIONS, wanted)

    async def approve(self, caller: Caller, parameter: Parameter) -> Parameter:
        """Approve it."""
        async with self.database.transaction(divisions=caller.divisions) as session:
            return await parameters.approve(
                session, caller, parameter.parameter_id, on_approved=self._publish
            )

    async def put_in_force(self, wanted: Entry) -> Parameter:
        """Both, by two officers of the city."""
        return await self.approve(CITY_BO, await self.enter(CITY_ANNE, wanted))

    async def value(self, division_code: str, on: str) -> Decimal | None:
        """What holds there and then."""
        async with self.database.transaction(divisions=()) as session:
            found = await parameters.value_at(
                session, "dibao_line", division_code, date.fromisoformat(on)
            )
            return found.value if found else None

    async def _publish(self, session: AsyncSession, _caller: Caller, row: Parameter) -> None:
        seen = await session.scalar(
            select(PARAMETERS.c.approved_by).where(PARAMETERS.c.parameter_id == row.parameter_id)
        )
        assert seen == row.approved_by, "on_approved sees the approval in its transaction"
        self.published.append(row)
        if self.inside and self.go_on:
            self.inside.set()
            await self.go_on.wait()
