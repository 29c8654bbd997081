"""Which household an application is for: relief's own copy, and past it the registry (C18, C61).

Temporary assistance is for any rural household on file, also one that was never identified and that
relief therefore has no copy of. The registry is then asked whose its people are, before the
request's transaction begins, with a token of no more than the village named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import household_copy
from shared.contracts.registry import State
from shared.errors import Fault, Refused, TryAgain
from shared.registry_client import RegistryClient, RegistryDownError, RegistryRefusedError

SCOPES = "registry.persons:resolve"
PURPOSE = "temporary-assistance"
"""Why the persons are asked for, as it stands in the registry's audit log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A household as an application needs it. ``known``: relief has a copy of it.

    ``births``: birth dates of its members by person, as far as they are known here; ``counted``:
    those of them who count; ``head``: its head.
    """

    household_id: UUID
    division_code: str
    known: bool
    recipient: bool
    births: Mapping[UUID, date] = field(default_factory=dict)
    counted: Sequence[UUID] = ()
    head: UUID | None = None


class Registry(RegistryClient):
    """Asks the registry whose household persons are in (client credentials)."""

    async def households_of(
        self, person_ids: Iterable[UUID], division_code: str
    ) -> dict[UUID, UUID | None]:
        """The household of each of these persons who lives in the division; others: left out.

        Raises RegistryDownError where waiting helps, RegistryRefusedError where an operator does.
        """
        wanted = {"person_ids": sorted({str(person_id) for person_id in person_ids})}
        asking = self.asking(scopes=SCOPES, purpose=PURPOSE, divisions=(division_code,))
        async with asking as ask:
            answer: list[dict[str, Any]] = await ask("POST", "/v1/persons/bulk", body=wanted)
        return {
            UUID(one["person_id"]): UUID(one["household_id"]) if one["household_id"] else None
            for one in answer
        }


async def copy_of(
    session: AsyncSession, household_id: UUID, people: Mapping[str, UUID]
) -> Household | None:
    """The household of relief's copy; None without one that the caller may see.

    ``people``: who is helped and who applies, by where the body names them. Raises Refused
    (``person_not_of_household``) naming every person who is no member of it, and
    ``household_closed``.
    """
    found = await household_copy.load(session, [household_id])
    if not found:
        return None
    (state,) = found
    if state.state is State.CLOSED:
        raise Refused("household_closed", "this household's file is closed: apply for another one")
    births = {member.person_id: member.birth_date for member in state.members}
    strangers = [where for where, each in people.items() if each not in births]
    _refuse_strangers(strangers, "person_not_of_household", "该人员不是本户现有成员")
    return Household(
        household_id=household_id,
        division_code=state.division_code,
        known=True,
        recipient=state.state.on_assistance,
        births=births,
        counted=[member.person_id for member in state.members if member.counted],
        head=state.head_person_id,
    )


async def ask_registry(
    registry: Registry, household_id: UUID, division_code: str, people: Mapping[str, UUID]
) -> Household:
    """The household as the registry knows it. Raises Refused (``household_unknown``), TryAgain."""
    try:
        theirs = await registry.households_of(people.values(), division_code)
    except RegistryDownError as down:
        raise TryAgain("registry_down", "the registry does not answer: send it again") from down
    except RegistryRefusedError as refused:
        text = f"the registry does not answer relief ({refused}): tell the operators"
        raise TryAgain("registry_refuses", text) from refused
    strangers = [where for where, each in people.items() if theirs.get(each) != household_id]
    message = "登记库在该村没有此户此人,请核对户号、村代码和人员,或先在登记库建档"
    _refuse_strangers(strangers, "household_unknown", message)
    return Household(
        household_id=household_id,
        division_code=division_code,
        known=False,
        recipient=False,
    )


async def episode_of(session: AsyncSession, household_id: UUID) -> int:
    """The household's newest episode; 0 for one that was never identified."""
    found = await household_copy.load(session, [household_id])
    return len(found[0].episodes) if found else 0


def _refuse_strangers(at: Sequence[str], code: str, message: str) -> None:
    if at:
        faults = [Fault(f"#/{where}", code, message) for where in at]
        raise Refused(
            code, f"{len(at)} person(s) do not fit the household: {message}", faults=faults
        )
