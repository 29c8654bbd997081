"""What the bank files ask of another service: whom to pay for a household, and where.

From the closed list of synchronous calls (design.md). Names and accounts travel in no event; the
registry gives them to relief's own service token and audits each reading (PIPL art. 54).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from services.relief.settings import ReliefSettings
from shared.jobs import JobFailedError
from shared.registry_client import RegistryClient, RegistryRefusedError

SCOPES = "registry.accounts:read"
PURPOSE = "payment"
"""Why they are asked for, as it stands in the registry's audit log."""
MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Who is paid, and where; None where it is not known. Never in a repr."""

    name: str | None = field(repr=False)
    account: str | None = field(repr=False)


class AskPayees(Protocol):
    """Whoever knows the payees of households, at most ``MOST`` at a time."""

    async def payees(
        self, household_ids: Collection[UUID], divisions: Collection[str]
    ) -> Mapping[UUID, Payee]:
        """Those who live in ``divisions``; unknown: left out."""
        ...


class Registry(RegistryClient):
    """Asks the registry with a token of relief's own (client credentials)."""

    async def payees(
        self, household_ids: Collection[UUID], divisions: Collection[str]
    ) -> dict[UUID, Payee]:
        """As AskPayees. Raises RegistryDownError where waiting helps and JobFailedError where only
        an operator does: no address, no such client, too few rights.
        """
        if not household_ids:
            return {}
        wanted = {"household_ids": sorted(str(household_id) for household_id in household_ids)}
        try:
            async with self.asking(scopes=SCOPES, purpose=PURPOSE, divisions=divisions) as ask:
                answer = await ask("POST", "/v1/household-accounts/bulk", body=wanted)
        except RegistryRefusedError as refused:
            raise JobFailedError(str(refused)) from refused
        return {
            UUID(one["household_id"]): Payee(name=one["name"], account=one["account"])
            for one in answer
        }


def registry_of(settings: ReliefSettings) -> Registry:
    """The registry that a process's settings describe."""
    return Registry(
        registry_url=settings.registry_url,
        token_url=settings.token_url,
        client_id=settings.client_name,
        secret_file=settings.client_secret_file,
    )
