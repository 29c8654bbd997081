"""What operators ask of an api: /livez, /readyz and /metrics.

An api is ready when its database answers and is migrated; lag and parked events are the worker's.
"""

import asyncio

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from shared import migrations, telemetry
from shared.db import Database
from shared.errors import TryAgain

READY_SECONDS = 3.0
"""A database that takes longer to answer counts as unreachable."""


def router(service: str) -> APIRouter:
    """The three routes; they need no token and show nothing about people."""
    made = APIRouter(include_in_schema=False)

    @made.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @made.get("/readyz")
    async def readyz(request: Request) -> dict[str, str]:
        await check_ready(service, request.app.state.platform.database)
        return {"status": "ready"}

    @made.get("/metrics")
    async def metrics() -> Response:
        return Response(telemetry.metrics(), media_type=telemetry.METRICS_TYPE)

    return made


async def check_ready(service: str, database: Database) -> None:
    """Raises TryAgain while the database is unreachable or older than this code."""
    try:
        async with asyncio.timeout(READY_SECONDS), database.engine.connect() as connection:
            found = await connection.run_sync(migrations.revision_of)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise TryAgain("database_unreachable", "the database does not answer") from error
    if not migrations.fits(service, found):
        raise TryAgain(
            "database_not_migrated",
            f"the database is at revision {found}, this code needs {migrations.head(service)}: "
            f"run the migrations",
        )
