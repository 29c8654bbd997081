"""How often a sender without a token asked today: the limits of the routes that anybody may use.

Counted in the database, so over all processes, in the transaction of what was asked: a request
that is refused wrote nothing and counts nothing. Senders are kept as keyed hashes and forgotten
with the day.
"""

import ipaddress
from datetime import date, datetime, timedelta

from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, crypto
from shared.db import NAMING
from shared.errors import TooMany

metadata = MetaData(naming_convention=NAMING)

public_uses = Table(
    "public_uses",
    metadata,
    Column("purpose", Text(collation="C"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("sender_hash", LargeBinary, primary_key=True),
    Column("uses", Integer, nullable=False),
)
"""For the services that have such routes; their own migrations create it."""

_HOME_PREFIX = 64
"""One subscriber's IPv6 addresses share their first 64 bits."""


async def use(session: AsyncSession, purpose: str, sender: str, *, most: int) -> None:
    """Count one use of ``purpose`` by ``sender`` today. Raises TooMany past ``most``.

    Two at once wait for each other, so no more than ``most`` ever pass.
    """
    given = {
        "purpose": purpose,
        "day": clock.today(),
        "sender": crypto.lookup_hash(sender, purpose=f"public_uses.{purpose}"),
        "most": most,
    }
    if await session.scalar(_USE, given) is None:
        raise TooMany(
            "too_many_today",
            "too many requests today: try again tomorrow or call the township",
            retry_after=_seconds_left(clock.now()),
        )


def network_of(address: str | None) -> str:
    """Whom an address stands for: an IPv4 address alone, an IPv6 one with its neighbours.

    ``2001:db8::1`` and ``2001:db8::2`` are one sender; what is no address counts as one as well.
    """
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, _HOME_PREFIX), strict=False))
    return str(known)


async def forget_past(session: AsyncSession, day: date) -> bool:
    """A turn of the day: what was counted before it limits nobody any more."""
    await session.execute(text("DELETE FROM public_uses WHERE day < :day"), {"day": day})
    return False


def _seconds_left(now: datetime) -> int:
    """Until the day ends that ``clock.today`` names."""
    here = now.astimezone(clock.SHANGHAI)
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, int((midnight - here).total_seconds()))


_USE = text(
    "INSERT INTO public_uses (purpose, day, sender_hash, uses) "
    "SELECT :purpose, :day, :sender, 1 WHERE :most > 0 "
    "ON CONFLICT (purpose, day, sender_hash) DO UPDATE SET uses = public_uses.uses + 1 "
    "WHERE public_uses.uses < :most RETURNING uses"
)
