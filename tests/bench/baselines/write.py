"""Bare FastAPI + asyncpg: a person and an outbox row durable, one CTE statement a request.

The outbox row is as many bytes as the event of ours. No token, no key, no rule, no audit.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from fastapi import FastAPI, Request
from pydantic import BaseModel

TABLES = """
CREATE TABLE persons (
    person_id uuid PRIMARY KEY, household_id uuid NOT NULL, name text NOT NULL, sex text NOT NULL,
    relation text NOT NULL, birth_date date NOT NULL, health text, insured boolean,
    valid_from date NOT NULL);
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key uuid NOT NULL, payload bytea NOT NULL)
"""
_INSERT = """
WITH person AS (
    INSERT INTO persons (person_id, household_id, name, sex, relation, birth_date, health, insured,
                         valid_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
)
INSERT INTO outbox (key, payload) VALUES ($2, $10)
"""


class Birth(BaseModel):
    """The body of the request."""

    valid_from: date
    name: str
    relation: str
    sex: str
    birth_date: date
    health: str | None = None
    insured: bool | None = None


class Born(BaseModel):
    """The answer."""

    household_id: UUID
    person_id: UUID


def create() -> FastAPI:
    """The app; BASELINE_URL is its database, BASELINE_EVENT a file as large as an event."""
    event = Path(os.environ["BASELINE_EVENT"]).read_bytes()

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

    @app.post("/v1/households/{household_id}/members", status_code=201)
    async def add_member(request: Request, household_id: UUID, body: Birth) -> Born:
        person_id = uuid4()
        values: list[Any] = [body.name, body.sex, body.relation, body.birth_date, body.health]
        await request.app.state.pool.execute(
            _INSERT, person_id, household_id, *values, body.insured, body.valid_from, event
        )
        return Born(household_id=household_id, person_id=person_id)

    return app
