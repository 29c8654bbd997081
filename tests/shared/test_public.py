"""Routes without a token: how narrow they must be, and how often they may be used."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from sqlalchemy import text

from deploy.local.provision import ServiceDatabase
from shared import api, clock, public_uses
from shared.auth import Caller, requires
from shared.db import Database, SessionDep
from shared.errors import TooMany
from shared.public import PublicSession
from tests.conftest import DatabaseOf
from tests.support.services import SettingsOf, Surroundings

NARROW = {api.PUBLIC: True, api.MAX_BODY: 1_000}
Anyone = Annotated[Caller, requires("x")]


async def by_anybody(session: PublicSession) -> None: ...


async def by_a_token(session: SessionDep, caller: Anyone) -> None: ...


async def by_both(session: PublicSession, caller: Anyone) -> None: ...


async def by_nothing() -> None: ...


def start(settings_of: SettingsOf, prefix: str, call: Any, **options: Any) -> Any:
    """An app with this one route; nothing is asked of it."""
    router = options.pop("router", None) or api.router(prefix)
    router.add_api_route("", call, **({"methods": ["POST"]} | options))
    nowhere = ServiceDatabase(
        name="x", owner_url="", api_url="postgresql://h/d", worker_url="postgresql://h/d"
    )
    return api.create_app(settings_of("notify", nowhere), title="T", routers=[router])


def test_a_narrow_public_route_may_start(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    assert start(settings_of, "/v1/public/things", by_anybody, openapi_extra=NARROW)


@pytest.mark.parametrize(
    ("prefix", "call", "options", "why"),
    [
        ("/v1/things", by_anybody, {"openapi_extra": NARROW}, "too wide"),
        ("/v1/publicity", by_anybody, {"openapi_extra": NARROW}, "too wide"),
        (
            "/v1/public/things",
            by_anybody,
            {"openapi_extra": NARROW, "methods": ["GET"]},
            "too wide",
        ),
        ("/v1/public/things", by_anybody, {"openapi_extra": {api.PUBLIC: True}}, "too wide"),
        (
            "/v1/public/things",
            by_anybody,
            {"openapi_extra": NARROW | {api.MAX_BODY: 1_000_000}},
            "too wide",
        ),
        ("/v1/public/things", by_both, {"openapi_extra": NARROW}, "too wide"),
        ("/v1/public/things", by_a_token, {"openapi_extra": NARROW}, "too wide"),
        ("/v1/public/things", by_nothing, {"openapi_extra": NARROW}, "too wide"),
        ("/v1/public/things", by_anybody, {}, "asks for no token"),
        ("/v1/public/things", by_a_token, {}, "is not marked x-public"),
        ("/v1/things", by_both, {}, "is not marked x-public"),
        (
            "/v1/public/things",
            by_anybody,
            {"openapi_extra": NARROW, "router": APIRouter(prefix="/v1/public/things")},
            "asks for no token",
        ),
    ],
)
@pytest.mark.usefixtures("surroundings")
def test_a_wider_one_stops_the_start(
    settings_of: SettingsOf,
    prefix: str,
    call: Any,
    options: dict[str, Any],
    why: str,
) -> None:
    with pytest.raises(RuntimeError, match=why):
        start(settings_of, prefix, call, **options)


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_sender_is_an_address_or_its_network(address: str | None, sender: str) -> None:
    assert public_uses.network_of(address) == sender


async def test_no_more_than_the_limit_pass_and_the_next_day_is_new(
    database_of: DatabaseOf, surroundings: Surroundings
) -> None:
    urls = await database_of("registry")
    database = Database(urls.api_url, application_name="tests")

    async def use(sender: str, purpose: str = "leads.phone") -> bool:
        try:
            async with database.transaction(divisions=()) as session:
                await public_uses.use(session, purpose, sender, most=3)
        except TooMany:
            return False
        return True

    at_once = await asyncio.gather(*(use("13812340000") for _ in range(8)))
    others = [await use("13812340001"), await use("13812340000", "another")]
    worker = Database(urls.worker_url, application_name="tests")
    tomorrow = clock.today() + timedelta(days=1)
    async with worker.transaction() as session:
        stored = (await session.execute(text("SELECT * FROM public_uses"))).all()
        await public_uses.forget_past(session, clock.today())
        kept = await session.scalar(text("SELECT count(*) FROM public_uses"))
        await public_uses.forget_past(session, tomorrow)
        left = await session.scalar(text("SELECT count(*) FROM public_uses"))
    await database.close()
    await worker.close()

    assert sum(at_once) == 3
    assert others == [True, True]
    assert "13812340000" not in str(stored)
    assert (kept, left) == (3, 0)
