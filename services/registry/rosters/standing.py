"""Where the people of a sheet or a batch stand in the registry now, by their ID numbers."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import queries as households
from services.registry.households import sealed
from services.registry.households.facts import Facts
from services.registry.rosters.matching import Standing


async def standing_of(
    session: AsyncSession, id_numbers: Iterable[str], *, divisions: Sequence[str]
) -> tuple[Mapping[str, Standing], Mapping[UUID, Facts]]:
    """The known of these people by number, and the facts of the households they stand in.

    ``id_numbers`` are normalised; who stands outside ``divisions`` is not in it.
    """
    hashes = {number: sealed.hash_id_number(number) for number in id_numbers}
    found = await households.find_persons_by_hash(session, hashes.values(), divisions=divisions)
    standing = {
        number: Standing(found[each].person_id, found[each].household_id, died=found[each].died)
        for number, each in hashes.items()
        if each in found
    }
    files = {place.household_id for place in standing.values() if place.household_id}
    records = await households.load_households(session, files, divisions=divisions)
    return standing, {household_id: record.facts for household_id, record in records.items()}
