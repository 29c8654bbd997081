"""The reference sources over real HTTP, and people of whom they say what a test needs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from itertools import count

import httpx

from deploy.local import sources
from services.registry.verification.client import SourceClient
from services.registry.verification.sending import due_sources, exchange
from services.registry.verification.sources import Source
from tests.registry.filing import Registry
from tests.support.builders import id_number
from tests.support.ports import free_ports
from tests.support.real_registry import listening

PATIENCE = timedelta(hours=72)
_tried = count()


class Sources:
    """The sources' server, and the client that the worker would use."""

    def __init__(self, url: str, memory: sources.Memory) -> None:
        self.url = url
        self.client = SourceClient(url)
        self.patience = PATIENCE
        self.memory = memory

    async def rounds(self, registry: Registry, *, patience: timedelta = PATIENCE) -> int:
        """Let the worker deal with all that is due now; how many questions that was."""
        done = 0
        while True:
            async with registry.worker.transaction() as session:
                due = await due_sources(session)
            if not due:
                return done
            for source in due:
                async with registry.worker.transaction() as session:
                    done += await exchange(session, self.client, source, patience=patience)

    async def file_of(self, source: Source) -> bytes:
        """Next month's file."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{self.url}/v1/sources/{source.value}/file")).content


@asynccontextmanager
async def running_sources() -> AsyncIterator[Sources]:
    """The server on a free port of 127.0.0.1."""
    (port,) = free_ports(1)
    app = sources.create()
    async with listening(app, port):
        yield Sources(f"http://127.0.0.1:{port}", app.state.memory)


def known_to(**ways: tuple[sources.Way, bool]) -> Callable[[str], bool]:
    """Whether each named source answers about a person in this way, finding something or not."""

    def fits(id_number: str) -> bool:
        return all(
            sources.way_of(source, id_number) is way and sources.finds(source, id_number) is finds
            for source, (way, finds) in ways.items()
        )

    return fits


def number_of(**ways: tuple[sources.Way, bool]) -> str:
    """An ID number of a grown-up of whom the sources say just this."""
    fits = known_to(**ways)
    for tried in _tried:
        born = date(1945, 1, 1) + timedelta(days=tried // 900)
        found = id_number(born=born, order=tried % 900 + 1)
        if fits(found):
            return found
    raise AssertionError("numbers do not end")
