"""Help that is paid first: by the township out of its fund, papers afterwards, or by the county."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from services.relief.temporary.explanations import recompute
from shared import clock
from shared.contracts.registry import HouseholdState, State
from shared.db import Database
from tests.relief.support import ASSISTED, receive, rows
from tests.relief.temporary.desk import AT, TOWNSHIP, Desk, asked, award, one, today
from tests.support.builders import household, member


async def test_the_township_helps_on_the_same_day_out_of_its_fund(
    desk: Desk, family: HouseholdState
) -> None:
    await desk.allot("5000.00")
    path = await desk.apply(family, 1)
    given = await desk.post("o3", f"{path}/township-approval", one())
    assert (given["state"], given["decision"]["amount"]) == ("approved", "1200.00")
    assert (given["decision"]["level"], given["decision"]["fund"]) == ("township", "petty_fund")
    assert [step["step"] for step in given["steps"]] == ["registered", "approved"]
    assert [step["officer_id"] for step in given["steps"]] == ["o1", "o3"]
    assert "不超过乡镇审批限额2000元，文件号：丽民〔2026〕8号" in given["decision"]["text"]
    answer = await desk.people["o1"].get(f"/v1/petty-funds?division={TOWNSHIP}")
    (fund,) = answer.json()["items"]
    assert (fund["balance"], fund["paid"], fund["unaccounted"]) == ("3800.00", "1200.00", "1200.00")
    entries = await desk.people["o1"].get(f"/v1/petty-funds/{TOWNSHIP}/entries")
    assert [
        (entry["kind"], entry["amount"], entry["balance_after"])
        for entry in entries.json()["items"]
    ] == [("allotted", "5000.00", "5000.00"), ("paid", "1200.00", "3800.00")]


async def test_the_decision_explains_itself_to_a_citizen_and_recomputes(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.apply(family)
    hard = award("12", "28800.00", hard_reason="四人均受重伤")
    decision = (await desk.post("o4", f"{path}/county-approval", hard))["decision"]
    for words in (
        "因火灾申请急难型临时救助，救助4人",
        "低保标准每人每月600元，文件号：丽民〔2026〕1号",
        "属特别困难，按12倍计发，最高不超过12倍",
        "600元×12倍×4人=28800元",
        "先行救助，有关材料须在",
        "依据《社会救助暂行办法》和《浙江省社会救助条例》第三十九条",
        "认定特别困难的理由：四人均受重伤。",
    ):
        assert words in decision["text"]
    kept = decision["explanation"]
    assert "重伤" not in orjson.dumps(kept).decode(), "an officer's words stay encrypted"
    assert recompute(kept) == Decimal(decision["amount"]) == 28800
    assert kept["figures"]["township_limit"]["document_number"] == "丽民〔2026〕8号"
    assert kept["rule_set"] == "CN2025"
    assert kept["clauses"] == ["C18", "C19", "R22", "R23"]


async def test_left_out_all_who_count_are_helped_at_once_and_the_head_applies(
    desk: Desk, worker: Database
) -> None:
    state = household(members=[member(), member(), member(counted=False)])
    await receive(worker, state)
    path = await desk.apply(state, person_ids=None, applicant_person_id=None)
    found = await desk.read(path)
    assert found["person_ids"] == [str(each.person_id) for each in state.members[:2]]
    assert found["applicant_person_id"] == str(state.head_person_id)
    given = await desk.post("o4", f"{path}/county-approval", {"factor": "3"})
    (stage,) = given["stages"]
    assert (stage["form"], stage["amount"], stage["due_on"]) == ("cash", "3600.00", today())


async def test_a_closed_file_is_not_helped(desk: Desk, worker: Database) -> None:
    state = household()
    closed = state.model_copy(update={"state": State.CLOSED, "members": (), "n": 0})
    await receive(worker, state)
    await receive(worker, closed, version=2)
    answer = await desk.people["o1"].post(f"{AT}/applications", json=asked(state))
    assert (answer.status_code, answer.json()["code"]) == (422, "household_closed")


async def test_each_stage_is_told_to_the_aid_ledger_once_a_state(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.apply(family)
    body = award("3", "3000.00", "4199.99", "0.01")
    body["stages"][1] |= {"form": "goods", "words": "大米、棉被"}
    given = await desk.post("o4", f"{path}/county-approval", body)
    first, second, _ = given["stages"]
    assert second["words"] == "大米、棉被"
    await desk.post("o5", f"/stages/{first['stage_id']}/paid", {"paid_on": today()})
    await desk.post("o5", f"/stages/{second['stage_id']}/reversal", {"reason": "已由保险赔付"})
    told = [orjson.loads(event["data"]) for event in await rows(worker, ASSISTED)]
    assert sum(Decimal(one["amount"]) for one in told[:3]) == 7200
    assert [(one["assistance_id"], one["status"]) for one in told[3:]] == [
        (first["stage_id"], "paid"),
        (second["stage_id"], "reversed"),
    ]
    assert {(one["programme"], one["fund"]) for one in told} == {
        ("temporary_assistance", "temporary_assistance")
    }
    assert {one["household_id"] for one in told} == {str(family.household_id)}
    assert sorted(told[0]["person_ids"]) == sorted(str(one.person_id) for one in family.members)
    whole = await desk.read(path)
    assert [stage["status"] for stage in whole["stages"]] == ["paid", "reversed", "approved"]
    assert [stage["version"] for stage in whole["stages"]] == [2, 2, 1]


async def test_over_its_limit_the_township_passes_the_case_on(
    desk: Desk, family: HouseholdState
) -> None:
    await desk.allot("9000.00")
    path = await desk.apply(family, 2)
    refused = await desk.post(
        "o3", f"{path}/township-approval", award("1.68", "2016.00"), status=422
    )
    assert refused["code"] == "over_township_limit"
    (fund,) = await rows(desk.worker, "SELECT paid FROM petty_funds")
    assert fund["paid"] == 0, "a refused decision takes nothing"
    given = await desk.post("o4", f"{path}/county-approval", award("1.68", "2016.00"))
    assert given["decision"]["fund"] == "temporary_assistance"


async def test_every_fault_of_a_decision_is_told(desk: Desk, family: HouseholdState) -> None:
    path = await desk.apply(family, 1)
    body = award("7", "1.00", hard_reason=" ")
    refused = await desk.post("o1", f"{path}/township-approval", body, status=422)
    assert [fault["code"] for fault in refused["errors"]] == [
        "hard_reason_missing",
        "stages_do_not_add_up",
        "same_officer",
        "over_township_limit",
    ]
    assert {fault["where"] for fault in refused["errors"]} == {
        "#",
        "#/factor",
        "#/stages",
        "#/hard_reason",
    }


async def test_without_money_in_the_fund_nothing_is_given(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.apply(family, 1)
    refused = await desk.post("o3", f"{path}/township-approval", one(), status=409)
    assert refused["code"] == "fund_insufficient"
    assert (await desk.read(path))["state"] == "accepted"
    assert await rows(desk.worker, ASSISTED) == []


async def test_a_stage_is_paid_by_another_officer_and_only_once(
    desk: Desk, family: HouseholdState
) -> None:
    await desk.allot("5000.00")
    path = await desk.apply(family, 1)
    (stage,) = (await desk.post("o3", f"{path}/township-approval", one()))["stages"]
    at = f"/stages/{stage['stage_id']}"
    body = {"paid_on": today()}
    assert (await desk.post("o3", f"{at}/paid", body, status=422))["code"] == "same_officer"
    late = {"paid_on": (clock.today() + timedelta(days=1)).isoformat()}
    assert (await desk.post("o5", f"{at}/paid", late, status=422))["code"] == "paid_on_impossible"
    await desk.post("o5", f"{at}/paid", body)
    assert (await desk.post("o5", f"{at}/paid", body, status=409))["code"] == "stage_not_open"


async def test_a_reversed_stage_goes_back_into_the_fund_once(
    desk: Desk, family: HouseholdState
) -> None:
    await desk.allot("5000.00")
    path = await desk.apply(family, 1)
    (stage,) = (await desk.post("o3", f"{path}/township-approval", one()))["stages"]
    at, why = f"/stages/{stage['stage_id']}/reversal", {"reason": "误发"}
    assert (await desk.post("o3", at, why, status=422))["code"] == "same_officer"
    assert (await desk.post("o5", at, {"reason": " "}, status=422))["code"] == "reason_missing"
    await desk.post("o5", at, why)
    assert (await desk.post("o5", at, why, status=409))["code"] == "stage_reversed"
    paid = await desk.post(
        "o5", f"/stages/{stage['stage_id']}/paid", {"paid_on": today()}, status=409
    )
    assert paid["code"] == "stage_not_open"
    (fund,) = await rows(desk.worker, "SELECT * FROM petty_funds")
    assert (fund["paid"], fund["returned"]) == (Decimal(1200), Decimal(1200))


async def test_a_fund_is_accounted_for_and_topped_up(desk: Desk, family: HouseholdState) -> None:
    await desk.allot("2000.00")
    path = await desk.apply(family, 1)
    await desk.post("o3", f"{path}/township-approval", one())
    assert (await desk.allot("1200.01", "accounted", status=422))["code"] == "more_than_paid"
    assert (await desk.allot("0.01", "topped_up", status=422))["code"] == "more_than_accounted"
    await desk.allot("1200.00", "accounted")
    fund = await desk.allot("1200.00", "topped_up")
    assert (fund["balance"], fund["to_top_up"], fund["unaccounted"]) == ("2000.00", "0.00", "0.00")
    assert (await desk.allot("1.00", "paid", status=422))["code"] == "entry_not_entered"
    entries = await rows(desk.worker, "SELECT * FROM petty_fund_entries ORDER BY entry_id")
    signs = {"allotted": 1, "topped_up": 1, "returned": 1, "paid": -1, "accounted": 0}
    assert sum(signs[each["kind"]] * each["amount"] for each in entries) == Decimal("2000.00")
    assert entries[-1]["balance_after"] == Decimal("2000.00")
    audited = await rows(
        desk.worker, "SELECT action FROM audit_log WHERE subject_type='petty_fund'"
    )
    assert len(audited) == len(entries) == 4


async def test_refused_in_writing_it_is_decided_for_good(
    desk: Desk, family: HouseholdState
) -> None:
    path = await desk.apply(family, 1)
    silent = await desk.post("o3", f"{path}/township-refusal", {"reason": " "}, status=422)
    assert silent["code"] == "reason_missing"
    refused = await desk.post("o3", f"{path}/township-refusal", {"reason": "损失已由保险全额赔付"})
    assert (refused["state"], refused["decision"]["amount"]) == ("refused", "0.00")
    text = refused["decision"]["text"]
    assert "决定不予救助。如不服本决定，可以自收到本决定书之日起六十日内依法申请行政复议" in text
    assert text.endswith("不予救助的理由：损失已由保险全额赔付。")
    assert recompute(refused["decision"]["explanation"]) == 0
    for at in ("county-approval", "township-approval"):
        again = await desk.post("o4", f"{path}/{at}", one(), status=409)
        assert again["code"] == "application_decided"
    again = await desk.post("o4", f"{path}/county-refusal", {"reason": "又"}, status=409)
    assert again["code"] == "application_decided"


async def test_a_referral_has_its_outcome(desk: Desk, family: HouseholdState) -> None:
    path = await desk.apply(family, 1)
    body = {"referred_to": "charity", "referred_on": today(), "words": "请慈善总会另行资助"}
    sent = await desk.post("o1", f"{path}/referrals", body)
    (referral,) = sent["referrals"]
    at = f"/referrals/{referral['referral_id']}/outcome"
    end = {"outcome": "helped", "ended_on": today(), "words": "资助3000元"}
    early = {**end, "ended_on": (clock.today() - timedelta(days=1)).isoformat()}
    assert (await desk.post("o1", at, early, status=422))["code"] == "ended_on_impossible"
    done = await desk.post("o1", at, end)
    (referral,) = done["referrals"]
    assert (referral["outcome"], referral["outcome_words"]) == ("helped", "资助3000元")
    assert (await desk.post("o1", at, end, status=409))["code"] == "referral_ended"
    assert [step["step"] for step in done["steps"]] == ["registered", "referred", "referral_ended"]


async def test_a_second_time_in_a_year_needs_another_officer_s_reason(
    desk: Desk, family: HouseholdState
) -> None:
    first = await desk.apply(family, 1)
    await desk.post("o4", f"{first}/county-approval", one())
    second = await desk.apply(family, 1)
    refused = await desk.post("o4", f"{second}/county-approval", one(), status=409)
    assert refused["code"] == "year_exhausted"
    other = await desk.apply(family, 1, cause="accident")
    await desk.post("o4", f"{other}/county-approval", one())
    why = {"reason": "三个月后再次失火"}
    mine = await desk.post("o1", f"{second}/repeat", why, status=422)
    assert mine["code"] == "same_officer"
    await desk.post("o4", f"{second}/repeat", why)
    still = await desk.post("o4", f"{second}/county-approval", one(), status=409)
    assert still["code"] == "year_exhausted", "who decides signs for himself"
    await desk.post("o3", f"{second}/repeat", why)
    given = await desk.post("o4", f"{second}/county-approval", one())
    assert "本年度已因同一原因救助1次" in given["decision"]["text"]


async def test_what_was_reversed_whole_was_not_given(desk: Desk, family: HouseholdState) -> None:
    first = await desk.apply(family, 1)
    (stage,) = (await desk.post("o4", f"{first}/county-approval", one()))["stages"]
    await desk.post("o5", f"/stages/{stage['stage_id']}/reversal", {"reason": "误发"})
    second = await desk.apply(family, 1)
    await desk.post("o4", f"{second}/county-approval", one())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"words": " "}, "words_missing"),
        ({"applied_on": "2030-01-01"}, "in_the_future"),
        ({"happened_on": "2030-01-01"}, "after_application"),
        ({"person_ids": ["0192e5a0-0000-7000-8000-000000000001"]}, "person_not_of_household"),
        ({"cause": "flood"}, "request_invalid"),
        ({"person_ids": []}, "request_invalid"),
        ({"papers": [{"kind": "cause", "reference": "a\0b"}]}, "value_unstorable"),
    ],
)
async def test_what_cannot_be_taken_in(
    desk: Desk, family: HouseholdState, changes: dict[str, Any], code: str
) -> None:
    answer = await desk.people["o1"].post(f"{AT}/applications", json=asked(family, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert await rows(desk.worker, "SELECT 1 FROM temporary_applications") == []


async def test_words_are_encrypted_and_every_look_is_noted(
    desk: Desk, worker: Database, family: HouseholdState
) -> None:
    path = await desk.apply(family, 1)
    (stored,) = await rows(worker, "SELECT * FROM temporary_applications")
    assert "起火".encode() not in stored["words_encrypted"]
    assert (await desk.read(path))["words"] == "灶间起火，房屋烧毁"
    looks = "SELECT * FROM audit_log WHERE action = 'temporary_assistance.read'"
    before = len(await rows(worker, looks))
    await desk.read(path)
    await desk.read("/applications")
    assert len(await rows(worker, looks)) == before + 2
    lines = await rows(worker, "SELECT detail::text FROM audit_log")
    assert not any("起火" in (line["detail"] or "") for line in lines)


async def test_lists_by_state_and_household(desk: Desk, family: HouseholdState) -> None:
    path = await desk.apply(family, 1)
    await desk.apply(family, 2, cause="accident")
    await desk.post("o4", f"{path}/county-approval", one())
    ours = f"household={family.household_id}"
    assert len((await desk.read(f"/applications?{ours}"))["items"]) == 2
    (found,) = (await desk.read(f"/applications?state=approved&{ours}"))["items"]
    assert found["state"] == "approved"
    first = await desk.read(f"/applications?limit=1&division={TOWNSHIP}")
    second = await desk.read(f"/applications?limit=1&cursor={first['next_cursor']}")
    assert second["items"] != first["items"]
    assert second["next_cursor"] is None
    assert (await desk.read("/applications?division=331102"))["items"] == []
