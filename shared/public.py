"""The citizens' door: routes that anybody may ask without a token (C22).

The door is narrow, and ``api.create_app`` refuses to start with a wider one: such a route is marked
``api.PUBLIC``, lies under ``/v1/public/``, is a POST with a small body, and works in this session,
which sees no division until its action names the one place that it is about.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared import logs, public_uses, receipts
from shared.auth import Caller
from shared.db import Database, Guard, divisions_setting
from shared.public_uses import network_of

PREFIX = "/v1/public/"
MOST_BYTES = 16_384
"""The largest body that a public route may take."""

ANYBODY = Caller(sub="public")
"""Who asks without a token: no officer, no scopes, no divisions."""


async def open_public_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction as ANYBODY: row-level security shows it nothing."""
    database: Database = request.app.state.platform.database
    async with database.transaction(divisions=ANYBODY.divisions) as session:
        guard: Guard | None = getattr(request.state, "guard", None)
        if guard is not None:
            await guard.enter(session, ANYBODY)
        yield session


PublicSession = Annotated[AsyncSession, Depends(open_public_session, scope="function")]


def sender_network() -> str:
    """Whom the request comes from, as the gateway says it.

    uvicorn believes ``X-Forwarded-For`` of the proxies in FORWARDED_ALLOW_IPS alone, and the
    gateway replaces whatever a client writes there.
    """
    return network_of(logs.origin().from_address)


async def confine(session: AsyncSession, division_code: str) -> Caller:
    """Let the rest of a public transaction see one county alone: who asks there, from now on."""
    county = division_code[:6]
    setting = divisions_setting([county])
    await session.execute(select(func.set_config("bangfu.divisions", setting, True)))
    return Caller(sub=ANYBODY.sub, divisions=(county,))


async def receipt_asked(
    session: AsyncSession, given: str, *, purpose: str, sender: str, most: int
) -> str | None:
    """Count a question by receipt number; gives the number's hash, None for what can be none.

    Nobody tries numbers past ``most`` a day: one that cannot be counts as well. Raises TooMany.
    """
    await public_uses.use(session, purpose, sender, most=most)
    try:
        return receipts.hash_of(given)
    except receipts.InvalidReceiptError:
        return None
