"""Bare FastAPI + asyncpg: a household with its members and who they are, one join a request.

On the registry's own tables, as a role without row-level security; no token, no mask, no audit.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from fastapi import FastAPI, HTTPException, Request, Response

_HOUSEHOLD = (
    "household_id",
    "household_no",
    "version",
    "revision",
    "effective_from",
    "state",
    "category",
    "tags",
    "causes",
    "rule_set",
    "keep_policy_until",
    "division_code",
    "head_person_id",
    "n",
    "income_wage",
    "income_business",
    "income_property",
    "income_transfer",
    "rigid_medical",
    "rigid_education",
    "rigid_disability",
    "rigid_other",
    "assets_financial",
    "vehicles",
    "house_grade",
    "phone_encrypted",
    "account_encrypted",
)
_MEMBER = (
    "relation",
    "health",
    "disability_kind",
    "disability_grade",
    "labor_ability",
    "willing_to_work",
    "education",
    "school_stage",
    "work",
    "insured",
    "left_behind",
    "counted",
)
_PERSON = ("person_id", "name", "id_number_encrypted", "sex", "birth_date")
_NAMES = (
    *(f"h.{name}" for name in _HOUSEHOLD),
    *(f"m.{name}" for name in _MEMBER),
    *(f"p.{name}" for name in _PERSON),
)
_JOIN = f"""
SELECT {", ".join(_NAMES)}
FROM households h JOIN members m USING (household_id) JOIN persons p USING (person_id)
WHERE h.household_id = $1 AND m.left_on IS NULL
"""  # noqa: S608 - the constant names above


def create() -> FastAPI:
    """The app; BASELINE_URL is the registry's database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            os.environ["BASELINE_URL"], min_size=10, max_size=10
        ) as app.state.pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    async def ready() -> str:
        return "ready"

    @app.get("/v1/households/{household_id}")
    async def read_household(request: Request, household_id: UUID) -> Response:
        rows = await request.app.state.pool.fetch(_JOIN, household_id)
        if not rows:
            raise HTTPException(404)
        shown = {name: rows[0][name] for name in _HOUSEHOLD}
        shown["members"] = [{name: row[name] for name in (*_MEMBER, *_PERSON)} for row in rows]
        return Response(orjson.dumps(shown, default=_plain), media_type="application/json")

    return app


def _plain(value: Any) -> str:
    """Amounts as text, sealed columns as hex, the driver's UUIDs as they print."""
    return value.hex() if isinstance(value, bytes) else str(value)
