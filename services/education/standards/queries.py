"""Which values hold where on a day, for many divisions at once."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from shared import parameter_values
from shared.divisions import ancestors
from shared.parameter_values import Parameter

Held = Mapping[tuple[str, str], Parameter]
"""By key and division code; what no approved value covers is not in it."""


async def in_force(
    session: AsyncSession, keys: Collection[str], division_codes: Collection[str], on: date
) -> Held:
    """The approved values of ``keys`` that hold on a day in each of these divisions."""
    chains = {code: ancestors(code) for code in division_codes}
    scopes = {scope for chain in chains.values() for scope in chain}
    approved = await parameter_values.approved(session, keys, scopes)
    held: dict[tuple[str, str], Parameter] = {}
    for code, chain in chains.items():
        for key in keys:
            mine = [row for row in approved if row.key == key and row.division_code in chain]
            begun = [row for row in parameter_values.holding(mine, chain) if row.valid_from <= on]
            if begun:
                held[key, code] = begun[-1]
    return held
