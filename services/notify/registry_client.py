"""The one question notify asks another service itself: the names of persons, for public notices.

From the closed list of synchronous calls (design.md). Names travel in no event; the registry gives
them to notify's own service token and writes each reading into its audit log (PIPL art. 54).
"""

from base64 import b64encode
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

import httpx

from shared import logs
from shared.jobs import JobFailedError
from shared.middleware import CORRELATION_HEADER, PURPOSE_HEADER

SCOPES = "registry.persons:resolve pii:read"
PURPOSE = "public-notice"
"""Why the names are asked for, as it stands in the registry's audit log."""
_SECONDS = 10.0
_MASK = "*"


class RegistryDownError(ConnectionError):
    """The registry or the token issuer does not answer: it passes, and the job waits."""


class Registry:
    """Asks the registry for names with a token of notify's own (client credentials)."""

    def __init__(
        self, *, registry_url: str, token_url: str, client_id: str, secret_file: Path | None = None
    ) -> None:
        self._registry_url = registry_url.rstrip("/")
        self._token_url = token_url
        self._client_id = client_id
        self._secret_file = secret_file

    async def names(
        self, person_ids: Collection[UUID], divisions: Collection[str]
    ) -> dict[UUID, str]:
        """The names of these persons, at most 1,000, who live in ``divisions``; unknown: left out.

        Raises RegistryDownError where waiting helps and JobFailedError where only an operator does:
        no address, no such client, too few rights.
        """
        if not person_ids:
            return {}
        if not (self._registry_url and self._token_url):
            raise JobFailedError("registry_not_configured")
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            token = await self._token(client, divisions)
            try:
                answer = await client.post(
                    f"{self._registry_url}/v1/persons/bulk",
                    json={"person_ids": sorted(str(person_id) for person_id in person_ids)},
                    headers={
                        "Authorization": f"Bearer {token}",
                        CORRELATION_HEADER: logs.correlation_id(),
                        PURPOSE_HEADER: PURPOSE,
                    },
                )
            except httpx.TransportError as down:
                raise RegistryDownError("the registry does not answer") from down
        found = {UUID(one["person_id"]): one["name"] for one in _answered(answer, "registry")}
        if any(_MASK in name for name in found.values()):
            raise JobFailedError("registry_masks_names")
        return found

    async def _token(self, client: httpx.AsyncClient, divisions: Collection[str]) -> str:
        """A token of no more than the rights and counties of this one question."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "scope": SCOPES,
            "divisions": ",".join(sorted(divisions)),
        }
        try:
            answer = await client.post(self._token_url, data=form, headers=self._credentials())
        except httpx.TransportError as down:
            raise RegistryDownError("the token issuer does not answer") from down
        token: str = _answered(answer, "token")["access_token"]
        return token

    def _credentials(self) -> dict[str, str]:
        """As HTTP Basic (RFC 6749, 2.3.1); read every time: a new secret needs no restart."""
        if self._secret_file is None:
            return {}
        try:
            secret = self._secret_file.read_text().strip()
        except OSError as unreadable:
            raise JobFailedError("client_secret_unreadable") from unreadable
        pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _answered(answer: httpx.Response, who: str) -> Any:
    if answer.is_success:
        return answer.json()
    if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise RegistryDownError(f"the {who} answered {answer.status_code}")
    raise JobFailedError(f"{who}_refused:{answer.status_code}")
