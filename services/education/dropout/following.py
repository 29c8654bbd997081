"""Cases go along with their child to another household or division. No decision, only the move."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, text
from sqlalchemy import bindparam as bind
from sqlalchemy.ext.asyncio import AsyncSession

Place = tuple[UUID, UUID, str]
"""A person, the household and the division that they live in now."""

_FOLLOW = text(
    """
    UPDATE dropout_cases AS stored
    SET division_code = moved.division_code,
        household_id = CASE WHEN stored.closed_on IS NULL
            THEN moved.household_id ELSE stored.household_id END
    FROM unnest(:person_ids, :household_ids, :division_codes)
        AS moved(person_id, household_id, division_code)
    WHERE stored.person_id = moved.person_id
        AND (stored.division_code <> moved.division_code
            OR (stored.closed_on IS NULL AND stored.household_id <> moved.household_id))
    """
).bindparams(
    bind("person_ids", type_=ARRAY(Uuid)),
    bind("household_ids", type_=ARRAY(Uuid)),
    bind("division_codes", type_=ARRAY(Text)),
)


async def follow_pupils(session: AsyncSession, places: Sequence[Place]) -> None:
    """Take the cases of these persons to where each lives now."""
    if places:
        person_ids, household_ids, division_codes = zip(*places, strict=True)
        values = {
            "person_ids": list(person_ids),
            "household_ids": list(household_ids),
            "division_codes": list(division_codes),
        }
        await session.execute(_FOLLOW, values)
