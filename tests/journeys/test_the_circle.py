"""One household walked the whole circle: found, identified, assisted by all, lifted, exited,
returned on the same file (C4, C6-C8, C23-C25), and the same with workers stopped in turn.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from deploy.local import sample
from deploy.local.progress import Show
from deploy.local.provision import SERVICES
from shared import clock
from tests.journeys import bureaus
from tests.journeys.circle import POOR, WELL, Circle
from tests.support.platform import Platform, running_platform


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform of this module's own, for it moves the clock by years."""
    home = tmp_path_factory.mktemp("circle")
    async with running_platform(home, with_sample=False) as started:
        await sample.enter_parameters(started.layout, Show())
        yield started


class Interruptions:
    """Workers that are down while others go on; in the first journey none is."""

    def __init__(self, platform: Platform, *, happen: bool) -> None:
        self._platform = platform
        self._happen = happen

    @asynccontextmanager
    async def of(self, *services: str) -> AsyncIterator[None]:
        """What happens inside reaches these services only afterwards."""
        if self._happen:
            for service in services:
                await self._platform.stop_worker(service)
        yield
        if self._happen:
            for service in services:
                self._platform.start_worker(service)


async def found_and_identified(circle: Circle, down: Interruptions) -> None:
    """An application, seven full days on the village board, a decision."""
    await circle.apply()
    assert (await circle.file())["state"] == "accepted"
    assert "notice_missing" in await circle.cannot("identify")
    async with down.of("relief", "housing", "education", "employment"):
        await circle.ask_for_notice("identification")
        assert "notice_not_closed" in await circle.cannot("identify")
        await circle.let_notice_run_out("identification")
        decided = await circle.decide("identify")
    assert (decided["state"], decided["category"]) == ("identified", "dibao")


async def every_service_opened_its_case(circle: Circle) -> None:
    """Nothing was typed in anywhere but in the registry."""
    next_month = clock.next_month(clock.today())
    await circle.granted(next_month, "2950.00")
    await bureaus.house_file(circle)
    await bureaus.student_file(circle)
    await bureaus.out_of_work(circle)
    await circle.guaranteed(
        living=True, medical=True, housing=False, education=True, employment=False
    )


async def assisted_by_all(circle: Circle, down: Interruptions) -> None:
    """Dibao paid, house mended, child aided, member placed."""
    month = clock.next_month(clock.today())
    async with down.of("registry"):
        await circle.pay_dibao(month)
    await circle.aided("dibao", "paid", "2950.00")
    await bureaus.aid_child(circle)
    too_early = await circle.cannot("lift")
    assert {"lift_too_early", "guarantee_not_met", "notice_missing"} <= too_early
    await bureaus.mend_house(circle)
    async with down.of("notify"):
        await bureaus.place_member(circle)
    await circle.guaranteed(housing=True, employment=True)


async def lifted(circle: Circle, down: Interruptions) -> None:
    """Two income checks six months apart, a notice, all five guarantees; refused until then."""
    await circle.change(clock.today(), incomes=WELL)
    await check(circle)
    circle.platform.advance(30)
    assert "income_checks_missing" in await circle.cannot("lift")
    circle.platform.advance_to(clock.add_months(clock.today(), 6))
    await check(circle)
    await leaves_school(circle)
    async with down.of("relief", "housing", "education", "employment"):
        await circle.ask_for_notice("lift")
        await circle.let_notice_run_out("lift")
        decided = await circle.decide("lift")
    assert decided["state"] == "lifted"
    await circle.granted(clock.next_month(clock.today()), "0.00")


async def check(circle: Circle) -> None:
    """An officer looks at the household's means and sees that they suffice."""
    path = f"/v1/households/{circle.household_id}/checks"
    made = await circle.post(
        "registry",
        path,
        checked_on=clock.today().isoformat(),
        incomes=WELL,
        food_and_clothing=True,
    )
    assert made["passed"] is True, made


async def leaves_school(circle: Circle) -> None:
    """A red guarantee refuses the lift even then: the child is missing, and is brought back."""
    case = await circle.post(
        "education",
        "/v1/dropouts",
        person_id=circle.people[2],
        absent_since=(clock.today() - timedelta(days=4)).isoformat(),
        reported_by="school",
        kind="absent",
    )
    await circle.guaranteed(education=False)
    assert "guarantee_not_met" in await circle.cannot("lift")
    await circle.post(
        "education",
        f"/v1/dropouts/{case['case_id']}/close",
        outcome="back_at_school",
        proof="学校证明",
        closed_on=clock.today().isoformat(),
    )
    await circle.guaranteed(education=True)


async def tracked_and_exited(circle: Circle) -> None:
    """Twelve months of tracking; one day less is refused."""
    over = clock.add_months(clock.today(), 12)
    circle.platform.advance_to(over - timedelta(days=1))
    assert "tracking_not_over" in await circle.cannot("exit", reason="跟踪期满")
    circle.platform.advance(1)
    assert (await circle.decide("exit", reason="跟踪期满，无返贫风险"))["state"] == "exited"


async def fallen_ill_and_returned(circle: Circle, down: Interruptions) -> None:
    """A sign of hardship opens a check; the return starts the grant again on the same file."""
    circle.platform.advance(40)
    path = f"/v1/households/{circle.household_id}/hardships"
    await circle.post(
        "registry",
        path,
        kind="illness",
        detected_on=clock.today().isoformat(),
        amount="26000.00",
    )
    checks = await circle.get("registry", "/v1/return-checks", division=circle.village, open=True)
    (return_check,) = [c for c in checks["items"] if c["household_id"] == circle.household_id]
    await circle.change(clock.today(), incomes=POOR)
    before = await circle.file()
    async with down.of("relief", "education"):
        decided = await circle.decide(
            "return",
            reason="主要劳动力重病，收入中断",
            return_check_id=return_check["return_check_id"],
        )
    assert (decided["state"], len(decided["episodes"])) == ("returned", 2)
    await circle.granted(clock.next_month(clock.today()), "2950.00")
    after = await circle.file()
    assert [m["person_id"] for m in after["members"]] == [m["person_id"] for m in before["members"]]
    assert (await bureaus.student_file(circle))["person_id"] == circle.people[2]
    checks = await circle.get("registry", "/v1/return-checks", division=circle.village, open=True)
    assert return_check["return_check_id"] not in {c["return_check_id"] for c in checks["items"]}


async def told_in_one_line(circle: Circle) -> None:
    """Notify has it all, in order, in one time line."""
    wanted = {"identified", "lifted", "exited", "returned"}

    async def look() -> bool:
        kinds = {line["kind"] for line in await bureaus.time_line(circle)}
        return wanted <= kinds

    await circle.sees("the whole time line", look)
    lines = await bureaus.time_line(circle)
    days = [line["on"] for line in lines]
    assert days == sorted(days)
    states = [line["kind"] for line in lines if line["kind"] in wanted]
    assert states == ["identified", "lifted", "exited", "returned"]
    assert bureaus.total(lines, "dibao") == 2950
    assert bureaus.total(lines, "house_renovation") == 22000
    assert bureaus.total(lines, "living_subsidy") == 500
    assert {line["service"] for line in lines} == set(SERVICES)


async def walk(circle: Circle, down: Interruptions) -> None:
    """The whole circle."""
    await found_and_identified(circle, down)
    await every_service_opened_its_case(circle)
    await assisted_by_all(circle, down)
    await lifted(circle, down)
    await tracked_and_exited(circle)
    await fallen_ill_and_returned(circle, down)
    await told_in_one_line(circle)


async def test_a_household_walks_the_whole_circle(platform: Platform) -> None:
    await walk(Circle(platform, serial=1), Interruptions(platform, happen=False))


async def test_the_same_with_every_worker_stopped_in_turn(platform: Platform) -> None:
    await walk(Circle(platform, serial=2), Interruptions(platform, happen=True))
