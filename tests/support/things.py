"""A small capability for testing the request path: things, in a table with divisions and limits.

``name`` is unique at once, ``label`` only at commit, so that a commit can be made to fail.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import File, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid, insert, select, text

from shared import api, audit
from shared.auth import Caller, requires
from shared.db import SessionDep, in_divisions
from shared.errors import Conflict, NotFound
from shared.identity import new_id
from shared.schema.access import COVERED

READER = "notify.things:read"
WRITER = "notify.things:write"

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("division_code", Text),
    Column("name", Text),
    Column("label", Text),
    Column("size", Integer),
)

_COVERED = COVERED.format(column="division_code")
DDL = f"""
    CREATE TABLE things (
        id uuid PRIMARY KEY,
        division_code text COLLATE "C" NOT NULL,
        name text NOT NULL CONSTRAINT uq_things_name UNIQUE CHECK (name <> 'forbidden'),
        label text CONSTRAINT uq_things_label UNIQUE DEFERRABLE INITIALLY DEFERRED,
        size integer
    );
    ALTER TABLE things ENABLE ROW LEVEL SECURITY;
    ALTER TABLE things FORCE ROW LEVEL SECURITY;
    CREATE POLICY by_division ON things USING ({_COVERED}) WITH CHECK ({_COVERED});
    GRANT SELECT, INSERT, UPDATE ON things TO notify_api;
    GRANT SELECT, INSERT, UPDATE, DELETE ON things TO notify_worker;
    CREATE TABLE ungranted (id integer);
"""


class NewThing(BaseModel):
    """What a thing is made of."""

    name: str
    division_code: str = "331124"
    label: str | None = None
    size: int | None = Field(default=None, ge=-(10**30))


class Thing(NewThing):
    """A thing as stored."""

    id: UUID


Reader = Annotated[Caller, requires(READER)]
Writer = Annotated[Caller, requires(WRITER)]


async def create_things(owner_url: str) -> None:
    """Make the table in a fresh database of notify."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(DDL)
    finally:
        await connection.close()


router = api.router("/v1/things", tags=["things"])


@router.post("", status_code=201, response_model=Thing)
async def create(new: NewThing, session: SessionDep, caller: Writer, response: Response) -> Any:
    made = {"id": new_id(), **new.model_dump()}
    await session.execute(insert(THINGS).values(made))
    await audit.record(
        session,
        caller,
        action="thing.created",
        subject_type="thing",
        subject_id=made["id"],
        division_code=new.division_code,
    )
    response.headers["Location"] = f"/v1/things/{made['id']}"
    response.headers["ETag"] = api.etag(1)
    return made


@router.get("", response_model=api.Page[Thing])
async def everything(
    session: SessionDep, caller: Reader, cursor: str | None = None, limit: api.Limit = 50
) -> Any:
    query = select(THINGS).where(in_divisions(THINGS.c.division_code, caller.divisions))
    if cursor is not None:
        (after,) = api.decode_cursor(cursor, str)
        query = query.where(THINGS.c.name > after)
    rows = (await session.execute(query.order_by(THINGS.c.name).limit(limit + 1))).all()
    more = len(rows) > limit
    return {
        "items": [row._asdict() for row in rows[:limit]],
        "next_cursor": api.encode_cursor([rows[limit - 1].name]) if more else None,
    }


@router.get("/unfiltered")
async def unfiltered(session: SessionDep, _caller: Reader) -> list[str]:
    rows = await session.scalars(select(THINGS.c.name).order_by(THINGS.c.name))
    return list(rows)


@router.get("/export")
async def export(request: Request, caller: Reader) -> StreamingResponse:
    database = request.app.state.platform.database

    async def lines() -> AsyncIterator[str]:
        async with database.transaction(divisions=caller.divisions) as session:
            for name in await session.scalars(select(THINGS.c.name).order_by(THINGS.c.name)):
                yield f"{name}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@router.get("/crash")
async def crash(_session: SessionDep, _caller: Reader) -> None:
    secret_of_the_frame = "李四 331102199003070010"  # noqa: F841 - must not show in a log
    raise RuntimeError("张三丰 has 331102199003070010 and 13800138000")


@router.get("/sleep")
async def sleep(session: SessionDep, _caller: Reader, seconds: float) -> None:
    await session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


@router.get("/ungranted")
async def ungranted(session: SessionDep, _caller: Reader) -> None:
    await session.execute(text("SELECT * FROM ungranted"))


@router.post("/search", openapi_extra={api.READ_ONLY: True})
async def search(wanted: NewThing, session: SessionDep, _caller: Reader) -> list[str]:
    found = await session.scalars(select(THINGS.c.name).where(THINGS.c.name == wanted.name))
    return list(found)


@router.post("/upload", status_code=201)
async def upload(
    session: SessionDep,
    _caller: Writer,
    note: Annotated[str, Form()],
    file: Annotated[UploadFile, File()],
) -> dict[str, Any]:
    made = new_id()
    content = await file.read()
    row = {"id": made, "division_code": "331124", "name": note, "size": len(content)}
    await session.execute(insert(THINGS).values(row))
    return {"id": made, "bytes": len(content)}


@router.post("/large", openapi_extra={api.MAX_BODY: 4_000_000})
async def large(request: Request, session: SessionDep, _caller: Writer) -> int:
    await session.execute(text("SELECT 1"))
    return len(await request.body())


@router.post("/refused")
async def refused(new: NewThing, session: SessionDep, _caller: Writer) -> None:
    await session.execute(insert(THINGS).values(id=new_id(), **new.model_dump()))
    raise Conflict("thing_refused", "refused after writing")


@router.post("/returned")
async def returned(new: NewThing, session: SessionDep, _caller: Writer) -> Response:
    await session.execute(insert(THINGS).values(id=new_id(), **new.model_dump()))
    return Response("no", status_code=409)


@router.post("/streamed")
async def streamed(new: NewThing, session: SessionDep, _caller: Writer) -> StreamingResponse:
    await session.execute(insert(THINGS).values(id=new_id(), **new.model_dump()))

    async def nothing() -> AsyncIterator[str]:
        yield "x"

    return StreamingResponse(nothing())


@router.put("/{thing_id}")
async def change(
    thing_id: UUID, new: NewThing, session: SessionDep, _caller: Writer, version: api.IfMatch
) -> dict[str, Any]:
    found = await session.scalar(select(THINGS.c.id).where(THINGS.c.id == thing_id))
    if found is None:
        raise NotFound("thing_unknown", "there is no such thing in the token's divisions")
    return {"id": thing_id, "version": version + 1, "name": new.name}
