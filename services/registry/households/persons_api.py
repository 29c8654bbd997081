"""Persons for bureau systems: ID numbers into person ids, person ids into names. All audited."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households import queries, sealed, views
from services.registry.households.schemas import Number
from shared import api, identity
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/persons", tags=["persons"])
_MOST = 1_000

Resolver = Annotated[Caller, requires("registry.persons:resolve")]


class Resolve(BaseModel):
    """Up to 1,000 ID numbers, in any form people write them."""

    model_config = ConfigDict(extra="forbid")

    id_numbers: Annotated[list[Number], Field(min_length=1, max_length=_MOST)]


class Resolved(BaseModel):
    """The answer to one ID number, in the place it had; ``fault`` says why it cannot be one."""

    person_id: UUID | None = None
    household_id: UUID | None = None
    fault: str | None = None


class Bulk(BaseModel):
    """Up to 1,000 person ids."""

    model_config = ConfigDict(extra="forbid")

    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST)]


class PersonOut(BaseModel):
    """Who a person is; masked without the scope pii:read."""

    person_id: UUID
    name: str
    id_number: str | None
    phone: str | None
    household_id: UUID | None


@routes.post("/resolve", summary="ID numbers into person ids", openapi_extra={api.READ_ONLY: True})
async def resolve(session: SessionDep, caller: Resolver, body: Resolve) -> list[Resolved]:
    numbers = [_parsed(number) for number in body.id_numbers]
    hashes = [sealed.hash_id_number(number) if number else None for number, _ in numbers]
    found = await queries.find_persons_by_hash(
        session, {each for each in hashes if each}, divisions=caller.divisions
    )
    await views.audit_persons(session, caller, "person.resolved", found.values())
    return [
        _resolved(found, its_hash, fault)
        for its_hash, (_, fault) in zip(hashes, numbers, strict=True)
    ]


@routes.post("/bulk", summary="Person ids into names", openapi_extra={api.READ_ONLY: True})
async def bulk(session: SessionDep, caller: Resolver, body: Bulk) -> list[PersonOut]:
    plain = caller.can(views.PLAIN)
    found = await queries.load_persons(session, body.person_ids, divisions=caller.divisions)
    standing = await queries.standing_of(session, found, divisions=caller.divisions)
    await views.audit_persons(session, caller, "person.read", found.values())
    return [
        PersonOut(
            person_id=person_id,
            name=sealed.show_name(found[person_id].name, plain=plain),
            id_number=sealed.show_id_number(found[person_id].id_number_encrypted, plain=plain),
            phone=sealed.show_phone(found[person_id].phone_encrypted, plain=plain),
            household_id=standing.get(person_id),
        )
        for person_id in dict.fromkeys(body.person_ids)
        if person_id in found
    ]


def _parsed(text: str) -> tuple[str | None, str | None]:
    try:
        return identity.parse_id_number(text).number, None
    except identity.InvalidIdNumberError as wrong:
        return None, wrong.code


def _resolved(
    found: Mapping[bytes, queries.FoundPerson], its_hash: bytes | None, fault: str | None
) -> Resolved:
    person = found.get(its_hash) if its_hash else None
    if person is None:
        return Resolved(fault=fault)
    return Resolved(person_id=person.person_id, household_id=person.household_id)
