"""Cases go along with their child to another household or division. No decision, only the move."""

from collections.abc import Sequence
from uuid import UUID

from shared.together import Write

Place = tuple[UUID, UUID, str]
"""A person, the household and the division that they live in now."""


def following(places: Sequence[Place]) -> Write:
    """What takes the cases of these persons to where each lives now."""
    return Write(_FOLLOW, [list(column) for column in zip(*places, strict=True)])


_FOLLOW = """
    UPDATE dropout_cases AS stored
    SET division_code = moved.division_code,
        household_id = CASE WHEN stored.closed_on IS NULL
            THEN moved.household_id ELSE stored.household_id END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[])
        AS moved(person_id, household_id, division_code)
    WHERE stored.person_id = moved.person_id
        AND (stored.division_code <> moved.division_code
            OR (stored.closed_on IS NULL AND stored.household_id <> moved.household_id))
"""
