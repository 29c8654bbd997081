"""Attachments: only what they say they are, encrypted on disk, seen in their divisions alone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from deploy.local.provision import ServiceDatabase
from shared import attachments, clock
from shared.attachments import content_faults
from shared.db import Database
from shared.errors import Conflict
from tests.conftest import ClientOf, SettingsOf
from tests.registry.filing import know_places
from tests.support.databases import Databases

PHOTO = b"\xff\xd8\xff\xe0" + b"a photo of a roof " * 100
RIGHTS = "registry.attachments:read registry.attachments:write"
HERE = "331124002221"


@pytest.fixture(scope="module")
async def database(databases: Databases, surroundings: object) -> AsyncIterator[ServiceDatabase]:
    async with databases.copy("registry") as urls:
        worker = Database(urls.worker_url, application_name="tests-worker")
        await know_places(worker)
        await worker.close()
        yield urls


@pytest.fixture
async def township(client_of: ClientOf, database: ServiceDatabase) -> httpx.AsyncClient:
    return await client_of("registry", database, scopes=RIGHTS, divisions=("331124",))


async def hand_in(
    client: httpx.AsyncClient, content: bytes = PHOTO, **given: str
) -> httpx.Response:
    kind = given.pop("kind", "image/jpeg")
    asked = {"division_code": HERE} | given
    return await client.post(
        "/v1/attachments", params=asked, content=content, headers={"Content-Type": kind}
    )


def _files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_was_handed_in_comes_out(township: httpx.AsyncClient) -> None:
    taken = (clock.now() - timedelta(hours=1)).isoformat()
    kept = (await hand_in(township, taken_at=taken)).json()

    told = await township.get(f"/v1/attachments/{kept['attachment_id']}")
    shown = await township.get(f"/v1/attachments/{kept['attachment_id']}/content")

    assert told.json() == kept
    assert kept["size"] == len(PHOTO)
    assert shown.content == PHOTO
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"


async def test_the_same_photo_lies_once_and_encrypted(
    client_of: ClientOf, database: ServiceDatabase, settings_of: SettingsOf, tmp_path: Path
) -> None:
    folder = tmp_path / "attachments"
    settings = settings_of("registry", database, attachments_url=folder.as_uri())
    township = await client_of("registry", database, scopes=RIGHTS, settings=settings)
    content = PHOTO + b"the same"

    first, second = [(await hand_in(township, content)).json() for _ in range(2)]

    assert first["attachment_id"] != second["attachment_id"]
    (stored,) = _files_in(folder)
    assert b"a photo of a roof" not in stored.read_bytes()
    assert stored.parent.parent.stat().st_mode & 0o077 == 0
    for each in (first, second):
        answer = await township.get(f"/v1/attachments/{each['attachment_id']}/content")
        assert answer.content == content


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (PHOTO, "image/gif", "attachment_type_unknown"),
        (b"<svg onload=alert(1)>", "image/png", "attachment_not_of_type"),
        (b"", "image/jpeg", "attachment_empty"),
        (b"%PDF-1.7 ...", "application/pdf", None),
        (b"\x89PNG\r\n\x1a\n...", "image/png", None),
        (PHOTO, "image/jpeg", None),
        (PHOTO, "application/pdf", "attachment_not_of_type"),
    ],
)
def test_a_file_is_what_it_says_it_is(content: bytes, kind: str, code: str | None) -> None:
    assert [fault.code for fault in content_faults(content, kind)] == ([code] if code else [])


async def test_every_fault_is_named_and_nothing_kept(
    township: httpx.AsyncClient, database: ServiceDatabase
) -> None:
    later = (clock.now() + timedelta(minutes=5)).isoformat()
    wrong = await hand_in(
        township, b"no photo", division_code="331124999999", taken_at=later, kind="image/png"
    )
    assert wrong.status_code == 422
    assert {each["code"] for each in wrong.json()["errors"]} == {
        "attachment_not_of_type",
        "division_unknown",
        "taken_in_future",
    }
    too_large = await hand_in(township, PHOTO + bytes(attachments.MOST_BYTES))
    assert too_large.status_code == 413

    worker = Database(database.worker_url, application_name="tests-count")
    async with worker.transaction() as session:
        kept = await session.scalar(
            text("SELECT count(*) FROM attachments WHERE size IN (8, :most)"),
            {"most": len(PHOTO) + attachments.MOST_BYTES},
        )
    await worker.close()
    assert kept == 0


async def test_another_county_sees_nothing(
    township: httpx.AsyncClient, client_of: ClientOf, database: ServiceDatabase
) -> None:
    kept = (await hand_in(township)).json()
    elsewhere = await client_of("registry", database, scopes=RIGHTS, divisions=("331122",))

    told = await elsewhere.get(f"/v1/attachments/{kept['attachment_id']}")
    shown = await elsewhere.get(f"/v1/attachments/{kept['attachment_id']}/content")
    refused = await hand_in(elsewhere)

    assert (told.status_code, shown.status_code, refused.status_code) == (404, 404, 403)


async def test_a_look_is_in_the_audit_log(
    township: httpx.AsyncClient, database: ServiceDatabase
) -> None:
    kept = (await hand_in(township)).json()
    await township.get(f"/v1/attachments/{kept['attachment_id']}")
    await township.get(f"/v1/attachments/{kept['attachment_id']}/content")

    worker = Database(database.worker_url, application_name="tests-audit")
    async with worker.transaction() as session:
        lines = await session.scalars(
            text("SELECT action FROM audit_log WHERE subject_id = :id ORDER BY id"),
            {"id": kept["attachment_id"]},
        )
        told = ("handed_in", "looked_at", "read")
        assert list(lines) == [f"attachment.{each}" for each in told]
    await worker.close()


async def test_a_store_that_is_gone_is_said_so(
    client_of: ClientOf, database: ServiceDatabase, settings_of: SettingsOf, tmp_path: Path
) -> None:
    folder = tmp_path / "attachments"
    settings = settings_of("registry", database, attachments_url=folder.as_uri())
    client = await client_of("registry", database, scopes=RIGHTS, settings=settings)
    kept = (await hand_in(client)).json()
    (stored,) = _files_in(folder)
    where = f"/v1/attachments/{kept['attachment_id']}/content"
    sealed = bytearray(stored.read_bytes())
    sealed[-1] ^= 1
    stored.write_bytes(sealed)
    changed = await client.get(where)
    stored.unlink()
    gone = await client.get(where)

    for answer in (changed, gone):
        assert (answer.status_code, answer.json()["code"]) == (503, "attachments_unavailable")


async def test_without_a_store_nothing_comes_in(
    client_of: ClientOf, database: ServiceDatabase, settings_of: SettingsOf
) -> None:
    settings = settings_of("registry", database, attachments_url="")
    client = await client_of("registry", database, scopes=RIGHTS, settings=settings)

    answer = await hand_in(client)

    assert (answer.status_code, answer.json()["code"]) == (503, "attachments_not_configured")


async def test_an_attachment_becomes_one_households(
    township: httpx.AsyncClient, database: ServiceDatabase
) -> None:
    kept = UUID((await hand_in(township)).json()["attachment_id"])
    ours, theirs = UUID(int=7), UUID(int=8)
    worker = Database(database.worker_url, application_name="tests-attach")
    async with worker.transaction() as session:
        named = {"#/photos/0": kept, "#/photos/1": UUID(int=1)}
        unknown = await attachments.faults_of(session, named, ours)
        await attachments.attach(session, [kept], ours, HERE)
        await attachments.attach(session, [kept], ours, HERE)
        taken = await attachments.faults_of(session, {"#/photo": kept}, theirs)
        with pytest.raises(Conflict):
            await attachments.attach(session, [kept], theirs, HERE)
    await worker.close()

    assert [(each.where, each.code) for each in unknown] == [("#/photos/1", "attachment_unknown")]
    assert [(each.where, each.code) for each in taken] == [("#/photo", "attachment_taken")]
    told = await township.get(f"/v1/attachments/{kept}")
    assert told.json()["household_id"] == str(ours)
