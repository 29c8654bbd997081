"""The part of the worker that talks to the sources: looks for what is due and deals with it.

Sources stand apart: one that is slow or down holds up its own questions alone. Several workers may
run it at once.
"""

import asyncio
from datetime import timedelta

from services.registry.settings import RegistrySettings
from services.registry.verification.client import SourceClient
from services.registry.verification.sending import due_sources, exchange
from services.registry.verification.sources import Source
from shared import logs
from shared.db import Database
from shared.trouble import passes
from shared.waiting import pause

LOOK_EVERY = 1.0
"""Seconds between looks for what is due."""
_AT_ONCE = 3

_log = logs.get("verification")


class Exchange:
    """Rounds with every source until told to stop; without an address it only waits."""

    def __init__(self, database: Database, settings: RegistrySettings) -> None:
        self._database = database
        self._patience = timedelta(hours=settings.verification_patience_hours)
        self._client = (
            SourceClient(
                settings.verification_sources_url, settings.verification_sources_token_file
            )
            if settings.verification_sources_url
            else None
        )
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self, stop: asyncio.Event) -> None:
        """Raises only an error that does not pass by itself."""
        if self._client is None:
            _log.info("verification.no_sources", detail="BANGFU_VERIFICATION_SOURCES_URL is unset")
            await stop.wait()
            return
        while not stop.is_set():
            worked = await self._look(self._client)
            await pause(stop, 0 if worked else LOOK_EVERY)

    async def _look(self, client: SourceClient) -> bool:
        try:
            async with self._database.transaction() as session:
                sources = await due_sources(session)
        except Exception as error:
            if not passes(error):
                raise
            _log.warning("verification.put_off", error=type(error).__name__)
            return False
        done = await asyncio.gather(*(self._round(client, source) for source in sources))
        return any(done)

    async def _round(self, client: SourceClient, source: Source) -> int:
        async with self._room:
            try:
                async with self._database.transaction() as session:
                    return await exchange(session, client, source, patience=self._patience)
            except Exception as error:
                if not passes(error):
                    raise
                _log.warning(
                    "verification.put_off", source=source.value, error=type(error).__name__
                )
                return 0
