"""Which approved figure holds in a division on a day, read for many divisions at once."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from shared import parameter_values
from shared.divisions import ancestors
from shared.parameter_values import Parameter


async def values_over_time(
    session: AsyncSession, key: str, division_codes: Collection[str]
) -> dict[str, list[Parameter]]:
    """For each of these divisions the approved values that hold there one after the other."""
    chains = {code: ancestors(code) for code in division_codes}
    scopes = {scope for chain in chains.values() for scope in chain}
    approved = await parameter_values.approved(session, (key,), scopes)
    return {
        code: parameter_values.holding(
            (row for row in approved if row.division_code in chain), chain
        )
        for code, chain in chains.items()
    }


def held_on(values: Sequence[Parameter], day: date) -> Parameter | None:
    """Of the values of one division, the one that holds on ``day``; None before the first."""
    begun = [value for value in values if value.valid_from <= day]
    return begun[-1] if begun else None
