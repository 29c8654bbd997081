"""The approved figures of divisions over time, as rules take them; for premiums as well."""

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical.entitlement import Figure, Figures
from shared import parameter_values
from shared.divisions import ancestors
from shared.parameter_values import Parameter


async def figures_over_time(
    session: AsyncSession, division_codes: Collection[str], keys: Iterable[str]
) -> dict[str, Figures]:
    """For each of these divisions and keys the approved values that hold one after the other."""
    wanted = tuple(keys)
    chains = {code: ancestors(code) for code in division_codes}
    scopes = {scope for chain in chains.values() for scope in chain}
    rows = await parameter_values.approved(session, wanted, scopes)
    by_county: dict[tuple[str, ...], Figures] = {}
    found: dict[str, Figures] = {}
    for code, chain in chains.items():
        named = tuple(scope for scope in chain if any(row.division_code == scope for row in rows))
        if named not in by_county:
            by_county[named] = {key: _holding(rows, key, named) for key in wanted}
        found[code] = by_county[named]
    return found


def _holding(rows: list[Parameter], key: str, chain: tuple[str, ...]) -> list[Figure]:
    mine = (row for row in rows if row.key == key and row.division_code in chain)
    return [
        Figure(
            parameter_id=row.parameter_id,
            key=row.key,
            value=row.value,
            valid_from=row.valid_from,
            document_number=row.document_number,
            division_code=row.division_code,
            sample=row.sample,
        )
        for row in parameter_values.holding(mine, chain)
    ]
