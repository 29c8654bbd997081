"""The job that posts what a batch of requests asked for: the names are fetched, then it is posted.

A registry that does not answer raises what passes by itself, so the job waits and tries again for
as long as it takes; nothing of the chunk has been written then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import queries
from services.notify.notices.posting import post_notices
from services.notify.registry_client import Registry
from services.notify.settings import NotifySettings
from shared.jobs import Job, JobHandler, Step

CHUNK = 200
"""How many names are asked for in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Whom a posting asks for names, and which phones it prints, by county."""

    registry: Registry
    phones: Mapping[str, str]


def desk_of(settings: NotifySettings) -> Desk:
    """The desk that a process's settings describe."""
    registry = Registry(
        registry_url=settings.registry_url,
        token_url=settings.token_url,
        client_id=settings.client_name,
        secret_file=settings.client_secret_file,
    )
    return Desk(registry=registry, phones=settings.complaint_phones)


def posting(desk: Callable[[], Desk]) -> JobHandler:
    """The handler of the job; ``desk`` is asked for when there is something to post."""

    async def post(session: AsyncSession, job: Job) -> Step:
        notice_ids = [UUID(given) for given in job.arguments["notice_ids"]]
        chunk = notice_ids[job.done : job.done + CHUNK]
        waiting = await queries.to_post(session, chunk)
        people = {row["applicant_person_id"] for row in waiting} - {None}
        at = desk()
        names = await at.registry.names(people, queries.by_county(waiting))
        before = job.cursor or {"posted": 0}
        posted = before["posted"] + await post_notices(
            session, chunk, asked=people, names=names, phones=at.phones
        )
        done = job.done + len(chunk)
        return Step(
            done=done,
            total=len(notice_ids),
            cursor={"posted": posted},
            finished=done >= len(notice_ids),
            result={"posted": posted},
        )

    return post
