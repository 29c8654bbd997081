"""Posting with names from a real registry over HTTP: once, twice, late, and while it is down."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from services.notify.notices import sealed
from services.notify.notices.content import Rule
from services.notify.notices.jobs import Desk, posting
from services.notify.notices.posting import post_notices
from services.notify.registry_client import Registry
from shared import clock
from shared.contracts.notices import NoticeRequest
from shared.db import Database
from shared.identity import new_id
from shared.parameter_values import PARAMETERS
from shared.registry_client import RegistryDownError
from tests.notify.notices.conftest import RealRegistry
from tests.notify.support import (
    COUNTY,
    nothing_open,
    notice,
    posted,
    receive,
    request,
    rows,
    run_jobs,
    running,
    told,
)
from tests.support.waiting import until

ADULT = date(1980, 5, 17)


def named(person_id: UUID, **facts: Any) -> NoticeRequest:
    """A request that names this adult."""
    return request(applicant_person_id=person_id, applicant_birth_date=ADULT, **facts)


async def sheet(database: Database, asked: NoticeRequest) -> list[str]:
    """What hangs in the village."""
    content = (await notice(database, asked))["content_encrypted"]
    return sealed.show_sheet(content)


async def test_the_name_comes_from_the_registry_and_its_reading_is_noted(
    worker: Database, registry: RealRegistry
) -> None:
    person, stranger = await registry.people("诸葛亮", "关云长")
    asked, unnamed = named(person), request()
    await receive(worker, asked, unnamed)
    (job,) = await run_jobs(worker, registry.desk())
    assert (job["state"], job["result"]) == ("succeeded", {"posted": 2})
    assert (await sheet(worker, asked))[1] == "申请人：诸葛亮"
    assert "监护人代为申请" in (await sheet(worker, unnamed))[1]
    assert (await sheet(worker, asked))[-1].endswith("电话：0578-8062345")
    (line,) = await registry.readings(person)
    assert (line["officer_id"], line["why"]) == (None, "public-notice")
    assert line["correlation_id"] == str(job["job_id"])
    assert await registry.readings(stranger) == []


async def test_the_name_stands_nowhere_but_in_the_encrypted_sheet(
    worker: Database, registry: RealRegistry
) -> None:
    (person,) = await registry.people("欧阳修德")
    await receive(worker, named(person))
    await run_jobs(worker, registry.desk())
    for table in ("notices", "events", "jobs", "audit_log", "received"):
        for row in await rows(worker, f"SELECT * FROM {table}"):  # noqa: S608 (names above)
            plain = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row.values())
            assert "欧阳修德".encode() not in plain, table


async def test_many_names_are_asked_for_in_one_call(
    worker: Database, registry: RealRegistry
) -> None:
    people = await registry.people("赵子龙", "马孟起", "黄汉升")
    await receive(worker, *(named(person) for person in people))
    await run_jobs(worker, registry.desk())
    lines = [line for person in people for line in await registry.readings(person)]
    assert len(lines) == 3
    assert len({line["at"] for line in lines}) == 1


async def test_run_again_a_job_posts_nothing_twice(
    worker: Database, registry: RealRegistry
) -> None:
    (person,) = await registry.people("周公瑾")
    asked = named(person)
    await receive(worker, asked)
    await run_jobs(worker, registry.desk())
    before = await notice(worker, asked)
    async with worker.transaction() as session:
        await session.execute(text("UPDATE jobs SET state = 'queued', done = 0, cursor = NULL"))
    await run_jobs(worker, registry.desk())
    assert await notice(worker, asked) == before
    assert len(await registry.readings(person)) == 1, "nobody is asked for what is posted"
    assert len(await told(worker)) == 1


async def test_while_the_registry_is_down_the_job_waits_and_nothing_is_lost(
    worker: Database, registry: RealRegistry
) -> None:
    (person,) = await registry.people("鲁子敬")
    asked, unnamed = named(person), request()
    await registry.stop()
    await receive(worker, asked, unnamed)
    desk = registry.desk()
    tried = []

    class Watched(Registry):
        async def names(self, *given: Any) -> dict[UUID, str]:
            tried.append(given)
            return await desk.registry.names(*given)

    watched = Watched(registry_url="", token_url="", client_id="")

    async def tried_often() -> bool:
        return len(tried) >= 3

    async with running(worker, Desk(registry=watched, phones={})):
        await until(tried_often, what="the job to try again")
        (job,) = await rows(worker, "SELECT * FROM jobs")
        assert (job["state"], job["failure"], job["done"]) == ("running", None, 0)
        assert (await notice(worker, unnamed))["status"] == "waiting"
        await registry.start()
        await until(lambda: nothing_open(worker), what="the job to end", every=0.02)
    assert {verb for verb, _ in await told(worker)} == {"published"}
    assert (await sheet(worker, asked))[1] == "申请人：鲁子敬"


async def test_without_a_token_issuer_it_waits_too(registry: RealRegistry) -> None:
    desk = registry.desk(token_url="http://127.0.0.1:1/token")
    with pytest.raises(RegistryDownError):
        await desk.registry.names([new_id()], [COUNTY])


MISTAKES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"registry_url": ""}, "registry_not_configured"),
    ({"token_url": ""}, "registry_not_configured"),
    ({"secret_file": Path("/nowhere/secret")}, "client_secret_unreadable"),
)


async def test_what_only_an_operator_can_mend_ends_the_job_and_not_the_notice(
    worker: Database, registry: RealRegistry
) -> None:
    (person,) = await registry.people("曹孟德")
    for changes, failure in MISTAKES:
        asked = named(person)
        await receive(worker, asked)
        *_, job = await run_jobs(worker, registry.desk(**changes))
        assert (job["state"], job["failure"]) == ("failed", failure)
        found = await notice(worker, asked)
        assert (found["status"], found["to_post"]) == ("waiting", True)


async def test_a_token_that_may_not_read_persons_ends_the_job(
    worker: Database, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = await registry.people("司马懿")
    for scopes, failure in (
        ("registry.persons:resolve", "registry_masks_names"),
        ("pii:read", "registry_refused:403"),
    ):
        monkeypatch.setattr("services.notify.registry_client.SCOPES", scopes)
        await receive(worker, named(person))
        *_, job = await run_jobs(worker, registry.desk())
        assert (job["state"], job["failure"]) == ("failed", failure)
    assert await told(worker) == []


async def test_a_secret_is_sent_to_the_token_issuer_as_http_basic(
    registry: RealRegistry, tmp_path: Path
) -> None:
    (person,) = await registry.people("陆伯言")
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    asking = registry.desk(secret_file=secret).registry
    assert asking._credentials() == {"Authorization": "Basic bm90aWZ5OnMzY3JldA=="}
    assert await asking.names([person], [COUNTY]) == {person: "陆伯言"}


async def test_whom_the_registry_does_not_know_is_refused(
    worker: Database, registry: RealRegistry
) -> None:
    (person,) = await registry.people("郭奉孝")
    asked, known = named(new_id()), named(person)
    await receive(worker, asked, known)
    await run_jobs(worker, registry.desk())
    ((verb, said),) = await told(worker, asked)
    assert (verb, said.outcome, said.refusal) == ("closed", "refused", "applicant_unknown")
    assert (await notice(worker, known))["status"] == "posted"


async def test_a_name_that_must_not_be_printed_refuses_the_notice(
    worker: Database, registry: RealRegistry
) -> None:
    (person,) = await registry.people("王精神")
    asked = named(person)
    await receive(worker, asked)
    await run_jobs(worker, registry.desk())
    found = await notice(worker, asked)
    assert (found["refusal"], found["refusal_rule"]) == ("content_forbidden", Rule.ILLNESS)
    assert (found["content_encrypted"], found["posted_on"]) == (None, None)
    ((verb, said),) = await told(worker)
    assert (verb, said.refusal) == ("closed", "content_forbidden")


async def test_another_applicant_meanwhile_is_left_to_the_newer_job(
    worker: Database, registry: RealRegistry
) -> None:
    first, second = await registry.people("荀文若", "荀公达")
    asked = named(first)
    await receive(worker, asked)
    waiting = await notice(worker, asked)
    newer = asked.model_copy(update={"applicant_person_id": second})
    await receive(worker, newer, version=2)
    async with worker.transaction() as session:
        late = await post_notices(
            session, [waiting["notice_id"]], asked={first}, names={first: "荀文若"}, phones={}
        )
    assert late == 0
    await run_jobs(worker, registry.desk())
    assert (await sheet(worker, asked))[1] == "申请人：荀公达"
    assert len(await told(worker)) == 1


@pytest.mark.parametrize(("value", "days"), [("10", 10), ("7.5", 8), ("1", 7)])
async def test_the_county_s_days_hold_and_never_fewer_than_seven(
    worker: Database, value: str, days: int
) -> None:
    """The last: a value that a careless script wrote past every bound."""
    parameter_id = new_id()
    row = {
        "parameter_id": parameter_id,
        "key": "notice.days",
        "division_code": COUNTY,
        "valid_from": date(2026, 1, 1),
        "value": Decimal(value),
        "unit": "days",
        "document_number": "松民〔2026〕1号",
        "sample": False,
        "entered_by": "o1",
        "entered_at": clock.now(),
        "approved_by": "o2",
        "approved_at": clock.now(),
        "version": 2,
    }
    async with worker.transaction() as session:
        await session.execute(insert(PARAMETERS), [row])
    found = await posted(worker)
    assert found["last_day"] - found["posted_on"] == timedelta(days=days)
    assert found["days_parameter_id"] == parameter_id


async def test_more_than_a_chunk_is_posted_in_steps(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.notices.jobs.CHUNK", 4)
    asked = [request() for _ in range(9)]
    await receive(worker, *asked)
    (job,) = await run_jobs(worker)
    assert (job["done"], job["total"], job["result"]) == (9, 9, {"posted": 9})
    assert len(await told(worker)) == 9


def test_the_job_takes_no_settings_before_it_has_work() -> None:
    """A worker is imported by commands and tests that have none."""

    def none() -> Desk:
        raise AssertionError("asked for a desk")

    assert callable(posting(none))
