"""A township officer's whole day, from a neighbour's word to the return after a relapse, over the
APIs of the whole platform (C4–C8, C20–C25, C51–C53): every step on the board, money by events.
"""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from deploy.local import sample
from deploy.local.progress import Show
from shared import clock
from tests.journeys.circle import WELL
from tests.journeys.township import COUNTY, Township, known_to_the_bank_alone, today
from tests.support.platform import Platform, running_platform

OLD = date(clock.today().year - 78, 5, 4)


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform of this module's own, for it moves the clock by years."""
    home = tmp_path_factory.mktemp("township-day")
    async with running_platform(home, with_sample=False) as started:
        await sample.enter_parameters(started.layout, Show())
        yield started


async def test_a_township_officers_day(platform: Platform) -> None:
    township = Township(platform, serial=1)
    await found(township)
    await applied_and_verified(township)
    await announced_and_decided(township)
    await helped(township)
    await lifted(township)
    await tracked(township)
    await fell_back(township)


async def found(township: Township) -> None:
    """The lead stands on the board until she was visited; her file is opened from it."""
    number = known_to_the_bank_alone(OLD)
    lead_id = await township.tell("吴秀英", number)
    receipt = await township.neighbour_tells(number)
    await township.neighbour_hears(receipt, "已收到，等待入户走访")
    where = f"/v1/leads/{lead_id}"
    await township.post("registry", f"{where}/visits", visited_on=today(), findings="确有困难")
    opened = await township.post(
        "registry",
        "/v1/households",
        division_code=township.village,
        house_grade="A",
        incomes={"transfer": "3000.00"},
        members=[
            {
                "name": "吴秀英",
                "relation": "head",
                "id_number": number,
                "insured": True,
                "health": "chronic_illness",
                "labor_ability": "none",
                "school_stage": "not_at_school",
            }
        ],
        causes=["old_age"],
    )
    township.household_id, township.people = opened["household_id"], opened["person_ids"]
    agreed = {"accord": "household_agrees", "household_id": township.household_id}
    await township.post("registry", f"{where}/accept", **agreed)
    lead = await township.get("registry", where)
    assert lead["state"] == "accepted"
    await township.hears_of(lead_id, "已受理，进入申请程序")
    assert len(await township.neighbour_hears(receipt, "已受理，进入申请程序")) == 3


async def applied_and_verified(township: Township) -> None:
    """Papers, then the sources: one doubt, explained with proof, and a report that holds."""
    township.application = await township.post(
        "registry",
        "/v1/applications",
        household_id=township.household_id,
        category="dibao",
        applied_on=today(),
        staff_relative=False,
    )
    await township.hand_in_papers()
    assert await township.tasks() >= {"survey"}
    report = await township.verify()
    assert report["conclusion"] == "consistent"


async def announced_and_decided(township: Township) -> None:
    """Survey by two, opinion, seven full days on the board, the county's decision, the grant."""
    await township.survey()
    await township.announce()
    await township.let_notice_run_out("identification")
    await township.read_application()
    decided = await township.step("decide", by=COUNTY, decided_on=today())
    assert decided["state"] == "identified"
    await township.granted(clock.next_month(clock.today()), "900.00")
    words = await township.get(
        "registry", f"/v1/applications/{decided['application_id']}/explanation"
    )
    assert "最低生活保障" in str(words)


async def helped(township: Township) -> None:
    """One lead helper, one plan signed by him, a month later a visit; nothing waits any more."""
    assert "plan" in await township.tasks()
    await township.pair()
    measure_id = await township.plan()
    assert "plan" not in await township.tasks()
    township.platform.advance_to(clock.add_months(clock.today(), 1))
    await township.waits_for("helper_visit")
    await township.visit(housing=True)
    assert "helper_visit" not in await township.tasks()
    where = f"/v1/plan-measures/{measure_id}/carry-out"
    await township.post("registry", where, carried_out_on=today())


async def lifted(township: Township) -> None:
    """Two income checks half a year apart, a notice, five guarantees; another officer decides."""
    path = f"/v1/households/{township.household_id}/checks"
    for _ in range(2):
        await township.post(
            "registry", path, checked_on=today(), incomes=WELL, food_and_clothing=True
        )
        township.platform.advance_to(clock.add_months(clock.today(), 6))
    await township.guaranteed(
        living=True, medical=True, housing=True, education=True, employment=True
    )
    await township.ask_for_notice("lift")
    await township.let_notice_run_out("lift")
    assert (await township.decide("lift"))["state"] == "lifted"
    await township.granted(clock.next_month(clock.today()), "0.00")


async def tracked(township: Township) -> None:
    """A quarter later she is visited; what is seen opens the return check."""
    township.platform.advance_to(clock.add_months(clock.today(), 3))
    await township.waits_for("tracking_visit")
    seen = await township.visit(hardships=[{"kind": "illness", "amount": "26000.00"}])
    assert seen["kind"] == "tracking"
    await township.post(
        "registry",
        f"/v1/households/{township.household_id}/plan-results",
        year=clock.today().year - 1,
        income="16000.00",
    )
    assert await township.tasks() == {"return_check"}


async def fell_back(township: Township) -> None:
    """She returns on the same file, and the grant begins anew."""
    checks = await township.get(
        "registry", "/v1/return-checks", division=township.village, open=True
    )
    (check,) = checks["items"]
    await township.change(clock.today(), incomes={"transfer": "3000.00"})
    back = await township.decide(
        "return", reason="重病返贫,经入户核实", return_check_id=check["return_check_id"]
    )
    assert (back["state"], len(back["episodes"])) == ("returned", 2)
    await township.granted(clock.next_month(clock.today()), "900.00")
    assert await township.tasks() == {"plan"}
