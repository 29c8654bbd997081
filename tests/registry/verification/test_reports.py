"""Doubts on the township's board and how they are settled; reports made, shown and printed."""

from typing import Any

import httpx
import pytest

from deploy.local.sources import Way
from services.registry.verification import queries
from services.registry.verification.sources import Outcome, Source
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, VERIFY, Registry, problem
from tests.registry.verification.conftest import Desk, Loner
from tests.registry.verification.sources import Sources, number_of
from tests.registry.verification.test_files import BY_FILE, hand_in, line


class Case:
    """A verification of one person, whose sources answer by file: what a test hands in."""

    def __init__(self, desk: Desk, made: dict[str, Any], id_number: str) -> None:
        self.desk, self.made, self.id_number = desk, made, id_number
        self.where = (
            f"/v1/households/{made['household_id']}/verifications/{made['verification_id']}"
        )

    async def said(self, source: str, **data: Any) -> None:
        """Let a source answer."""
        content = line(self.made, self.id_number, data=data)
        answer = await hand_in(self.desk, content, source)
        assert answer.json()["stored"] == 1, answer.text

    async def nothing(self, source: str) -> None:
        """Let a source know nothing."""
        content = line(self.made, self.id_number, status="nothing_found")
        assert (await hand_in(self.desk, content, source)).json()["stored"] == 1

    async def doubts(self) -> list[dict[str, Any]]:
        """Its doubts."""
        answer = await self.desk.office.client.get(f"{self.where}/doubts")
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    async def settle(self, doubt_id: str, **given: Any) -> httpx.Response:
        """Settle a doubt."""
        body = {"outcome": "confirmed", "words": "入户核实属实"} | given
        where = f"/v1/verification-doubts/{doubt_id}/settle"
        return await self.desk.office.client.post(where, json=body)

    async def report(self, **given: Any) -> httpx.Response:
        """Make its report."""
        return await self.desk.office.client.post(f"{self.where}/reports", json=given)


@pytest.fixture
async def case(registry: Registry, sources: Sources, desk: Desk, loner: Loner) -> Case:
    id_number = number_of(bank=BY_FILE, vehicle=BY_FILE)
    household_id = await loner(id_number)
    made = await desk.asked(household_id, sources=["bank", "vehicle"])
    await sources.rounds(registry)
    return Case(desk, made, id_number)


async def board(case: Case) -> list[tuple[str, str, bool]]:
    """The household's tasks of this capability: kind, subject, whether open."""
    answer = await case.desk.office.client.get(
        "/v1/tasks", params={"household_id": case.made["household_id"]}
    )
    return [
        (each["kind"], each["subject_id"], each["closed_on"] is None)
        for each in answer.json()["items"]
        if each["kind"].startswith("verification")
    ]


async def test_a_doubt_stands_on_the_board_until_it_is_settled(
    registry: Registry, case: Case
) -> None:
    await case.said("bank", over_limit=True)

    (doubt,) = await case.doubts()
    assert (doubt["kind"], doubt["source"], doubt["outcome"]) == (
        "deposits_over_limit",
        "bank",
        None,
    )
    assert doubt["due_on"] > clock.today().isoformat()
    assert await board(case) == [("verification_doubt", doubt["doubt_id"], True)]

    problem(await case.settle(doubt["doubt_id"], words=" "), 422, "words_missing")
    problem(await case.settle(doubt["doubt_id"], outcome="explained"), 422, "proof_missing")
    problem(await case.settle(doubt["doubt_id"], outcome="corrected"), 422, "file_not_corrected")
    explained = await case.settle(doubt["doubt_id"], outcome="explained", proof="存单-7")

    assert explained.status_code == 200, explained.text
    shown = explained.json()
    assert (shown["outcome"], shown["closed_by"], shown["proof"]) == ("explained", "o1", "存单-7")
    assert shown["closed_on"] == clock.today().isoformat()
    assert await board(case) == [("verification_doubt", doubt["doubt_id"], False)]
    problem(await case.settle(doubt["doubt_id"]), 409, "doubt_settled")
    audited = await registry.audited(case.made["household_id"])
    assert ("verification.doubt_settled", "o1") in audited


async def test_a_file_that_was_corrected_settles_a_doubt(case: Case) -> None:
    await case.said("bank", over_limit=True)
    (doubt,) = await case.doubts()
    household_id = case.made["household_id"]
    await case.desk.office.read(household_id)
    await case.desk.office.change(
        household_id, valid_from=clock.today().isoformat(), assets={"financial": "80000"}
    )

    settled = await case.settle(doubt["doubt_id"], outcome="corrected", words="补报存款")

    assert settled.json()["outcome"] == "corrected"


async def test_a_death_mark_stops_the_review_at_once(
    registry: Registry, sources: Sources, desk: Desk, loner: Loner
) -> None:
    id_number = number_of(death=BY_FILE, tax=(Way.LATER, False))
    made = await desk.asked(await loner(id_number), sources=["death", "tax"])
    await sources.rounds(registry)
    case = Case(desk, made, id_number)

    await case.said("death", died_on="2026-01-01")

    shown = await desk.shown(made)
    assert shown["stopped_on"] == clock.today().isoformat()
    (doubt,) = await case.doubts()
    assert (doubt["kind"], doubt["severity"]) == ("death_mark", "stop")
    assert await board(case) == [("verification_death_mark", doubt["doubt_id"], True)]
    problem(await case.report(missing_reason="x"), 409, "review_stopped")
    again = await desk.office.client.post(f"{case.where}/ask-again")
    problem(again, 409, "review_stopped")


async def test_a_report_names_what_is_missing_and_why_it_goes_on(
    registry: Registry, case: Case
) -> None:
    await case.said("bank", over_limit=False)

    refused = problem(await case.report(), 422, "sources_missing")
    assert [fault["where"] for fault in refused["errors"]] == ["#/sources/vehicle"]
    made = await case.report(missing_reason="车管系统停机,先行办理")

    assert made.status_code == 201, made.text
    report = made.json()
    assert (report["conclusion"], report["missing_sources"]) == ("not_returned", ["vehicle"])
    assert report["items_checked"] == 2
    assert report["report_number"].startswith(f"331124002221-{clock.today().year}-")
    assert report["valid_until"] == clock.add_months(clock.today(), 6).isoformat()
    household_id = case.made["household_id"]
    async with registry.acting() as session:
        latest = await queries.latest_report(session, household_id, divisions=("331124",))
        elsewhere = await queries.latest_report(session, household_id, divisions=("331121",))
    assert latest is not None
    assert elsewhere is None
    assert (str(latest.report_id), latest.missing_sources) == (
        report["report_id"],
        (Source.VEHICLE,),
    )

    await case.said("vehicle", vehicles=[{"plate": "浙K1", "status": "in_use"}])
    async with registry.acting() as session:
        later = await queries.latest_report(session, household_id, divisions=("331124",))
    assert later is not None
    assert (later.missing_sources, len(later.open_doubts)) == ((), 1)
    (doubt,) = await case.doubts()
    await case.settle(doubt["doubt_id"])
    async with registry.acting() as session:
        settled = await queries.latest_report(session, household_id, divisions=("331124",))
    assert settled is not None
    assert [each.outcome for each in settled.doubts] == [Outcome.CONFIRMED]


async def test_it_says_consistent_or_doubtful_and_never_refuses(case: Case) -> None:
    await case.nothing("bank")
    await case.said("vehicle", vehicles=[{"plate": "浙K1", "status": "in_use"}])

    doubtful = (await case.report()).json()
    (doubt,) = await case.doubts()
    await case.settle(doubt["doubt_id"], outcome="explained", proof="卖车合同")
    consistent = (await case.report()).json()

    assert (doubtful["conclusion"], doubtful["doubtful_sources"]) == ("doubtful", ["vehicle"])
    assert consistent["conclusion"] == "consistent"
    serials = [int(each["report_number"][-4:]) for each in (doubtful, consistent)]
    assert serials[1] == serials[0] + 1
    listed = await case.desk.office.client.get(
        f"/v1/households/{case.made['household_id']}/verification-reports"
    )
    assert [each["report_id"] for each in listed.json()] == [
        consistent["report_id"],
        doubtful["report_id"],
    ]


async def test_each_print_is_counted_and_names_are_masked(
    registry: Registry, case: Case, office_of: OfficeOf
) -> None:
    await case.nothing("bank")
    await case.said("vehicle", vehicles=[{"plate": "<b>浙K1</b>", "status": "in_use"}])
    report_id = (await case.report()).json()["report_id"]
    where = f"/v1/verification-reports/{report_id}/print"
    plain = await office_of(f"{ALL} {VERIFY} pii:read")

    first = await case.desk.office.client.post(where)
    second = await plain.client.post(where)

    assert first.headers["Content-Type"].startswith("text/html")
    assert "第1次打印" in first.text
    assert "第2次打印" in second.text
    assert "张*" in first.text
    assert case.id_number not in first.text
    assert case.id_number in second.text
    assert "&lt;b&gt;浙K1&lt;/b&gt;" in first.text
    for said in ("存在疑点的项目:车辆管理", "5日内", "松阳县居民家庭经济状况核对中心"):
        assert said in first.text
    assert "不予" not in first.text.replace("不作为不予救助的决定", "")
    audited = await registry.audited(case.made["household_id"])
    assert [action for action, _ in audited].count("verification.printed") == 2


async def test_another_county_sees_neither_report_nor_doubt(
    case: Case, office_of: OfficeOf
) -> None:
    await case.nothing("vehicle")
    await case.said("bank", over_limit=True)
    report_id = (await case.report()).json()["report_id"]
    (doubt,) = await case.doubts()
    neighbours = await office_of(f"{ALL} {VERIFY} pii:read", divisions=("331121",), officer="o9")
    far = Case(Desk(neighbours), case.made, case.id_number)

    problem(await far.settle(doubt["doubt_id"]), 404, "doubt_not_found")
    one = f"/v1/verification-reports/{report_id}"
    problem(await neighbours.client.get(one), 404, "report_not_found")
    problem(await neighbours.client.post(f"{one}/print"), 404, "report_not_found")
