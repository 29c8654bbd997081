"""Beginning and ending a session at the console. Whoever has ended one cannot go on with it."""

import secrets
from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.console.models import ConsoleSession
from services.notify.console.queries import PURPOSE
from shared import audit, clock, crypto
from shared.auth import Caller


async def begin_session(
    session: AsyncSession, caller: Caller, *, token: str, expires_at: datetime
) -> str:
    """Keep ``token`` sealed until it expires and give the key of the new session.

    Sessions that have expired are removed on the way.
    """
    key = secrets.token_urlsafe(32)
    await session.execute(delete(ConsoleSession).where(ConsoleSession.expires_at <= clock.now()))
    row = {
        "key_hash": crypto.lookup_hash(key, purpose=PURPOSE),
        "token_encrypted": crypto.encrypt(token, purpose=PURPOSE),
        "expires_at": expires_at,
    }
    await session.execute(insert(ConsoleSession), [row])
    await _note(session, caller, "console.signed_in")
    return key


async def end_session(session: AsyncSession, caller: Caller, key: str) -> None:
    """Forget the session of ``key``; one that is gone already is no fault."""
    known = ConsoleSession.key_hash == crypto.lookup_hash(key, purpose=PURPOSE)
    await session.execute(delete(ConsoleSession).where(known))
    await _note(session, caller, "console.signed_out")


async def _note(session: AsyncSession, caller: Caller, action: str) -> None:
    await audit.record(
        session, caller, action=action, subject_type="officer", subject_id=caller.sub
    )
