"""Household events in the thousands: the contract's own JSON, made once and filled in per event.

A household has one to four members (2.2 on average), every twentieth a C house, every fortieth a
D house. A later version has another wage.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from uuid import UUID

from shared.contracts.envelope import Envelope
from shared.contracts.registry import HouseGrade, HouseholdEvent, Relation
from tests.support.builders import NOON, household, household_event, member

_SIZES = (1, 2, 2, 2, 3, 1, 4, 2, 3, 2)
_WAGE = b"987654321"
_RELATIONS = (Relation.HEAD, Relation.SPOUSE, Relation.SON, Relation.DAUGHTER)


def random_versions(events: int, households: int, *, seed: int = 1) -> Iterator[tuple[int, int]]:
    """So many events as (household, version): each of a household drawn at random, no bursts."""
    drawn = Random(seed)  # noqa: S311 - a benchmark's data
    versions = [0] * households
    for _ in range(events):
        number = drawn.randrange(households)
        versions[number] += 1
        yield number, versions[number]


def envelope_of(number: int, version: int) -> Envelope:
    """The event of one version of one household; the same every time it is asked for."""
    template, people, data = _template(_SIZES[number % 10], _grade(number))
    household_id = str(household_id_of(number))
    data = data.replace(template.subject.encode(), household_id.encode())
    for at, person_id in enumerate(people):
        data = data.replace(person_id, str(_uuid(number * 8 + at + 1)).encode())
    data = data.replace(_WAGE, b"%d" % (6000 + version))
    return template._replace(
        id=_uuid(number << 32 | version),
        subject=household_id,
        key=household_id,
        aggregate_version=version,
        data=data,
        type=str(HouseholdEvent.IDENTIFIED if version == 1 else HouseholdEvent.CHANGED),
    )


def household_id_of(number: int) -> UUID:
    """The id of the household with this number."""
    return _uuid(number * 8)


def _uuid(number: int) -> UUID:
    # spread over the index as ids of a week are: the low bits first, in a UUIDv7's frame
    return UUID(int=(0x0193_0000_0000_7000_8000 << 48) | number * 0x9E3779B97F4A7 % (1 << 48))


def _grade(number: int) -> HouseGrade:
    if number % 40 == 0:
        return HouseGrade.D
    return HouseGrade.C if number % 20 == 0 else HouseGrade.B


@lru_cache
def _template(size: int, grade: HouseGrade) -> tuple[Envelope, tuple[bytes, ...], bytes]:
    members = [member(relation, insured=True) for relation in _RELATIONS[:size]]
    state = household(members=members, wage=_WAGE.decode(), house_grade=grade)
    event = household_event(state, time=NOON)
    people = tuple(str(one.person_id).encode() for one in members)
    return event, people, event.data
