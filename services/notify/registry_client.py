"""The one question notify asks another service itself: the names of persons, for public notices.

From the closed list of synchronous calls (design.md). Names travel in no event; the registry gives
them to notify's own service token and writes each reading into its audit log (PIPL art. 54).
"""

from collections.abc import Collection
from uuid import UUID

from shared.jobs import JobFailedError
from shared.registry_client import RegistryClient, RegistryRefusedError

SCOPES = "registry.persons:resolve pii:read"
PURPOSE = "public-notice"
"""Why the names are asked for, as it stands in the registry's audit log."""
_MASK = "*"


class Registry(RegistryClient):
    """Asks the registry for names with a token of notify's own (client credentials)."""

    async def names(
        self, person_ids: Collection[UUID], divisions: Collection[str]
    ) -> dict[UUID, str]:
        """The names of these persons, at most 1,000, who live in ``divisions``; unknown: left out.

        Raises RegistryDownError where waiting helps and JobFailedError where only an operator does:
        no address, no such client, too few rights.
        """
        if not person_ids:
            return {}
        wanted = {"person_ids": sorted(str(person_id) for person_id in person_ids)}
        try:
            async with self.asking(scopes=SCOPES, purpose=PURPOSE, divisions=divisions) as ask:
                answer = await ask("POST", "/v1/persons/bulk", body=wanted)
        except RegistryRefusedError as refused:
            raise JobFailedError(str(refused)) from refused
        found = {UUID(one["person_id"]): one["name"] for one in answer}
        if any(_MASK in name for name in found.values()):
            raise JobFailedError("registry_masks_names")
        return found
