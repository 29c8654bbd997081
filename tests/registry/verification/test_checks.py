"""The monthly light check and the half-yearly sweep: made once, in chunks, of those who signed."""

from datetime import date
from typing import Any

import pytest

from services.registry.verification import sweeping
from services.registry.verification.sources import LIGHT, Kind, Source
from shared import clock
from shared.jobs import Job
from tests.registry.filing import OTHER_TOWNSHIP, Registry, person
from tests.registry.verification.conftest import Desk, ended_yesterday
from tests.registry.verification.sources import Sources, number_of
from tests.registry.verification.test_files import BY_FILE, hand_in, line


def job(kind: Kind, **given: Any) -> Job:
    known: dict[str, Any] = {
        "job_id": "00000000-0000-7000-8000-000000000001",
        "kind": sweeping.JOB,
        "division_code": "",
        "state": "running",
        "arguments": {"kind": kind.value, "period": "2026-11-01"},
        "created_by": "system:registry",
        "created_at": clock.now(),
    }
    return Job(**(known | given))


async def run(registry: Registry, kind: Kind) -> dict[str, Any]:
    """Run a check to its end, chunk by chunk; gives its result with ``done`` and ``total``."""
    current = job(kind)
    while True:
        async with registry.worker.transaction() as session:
            step = await sweeping.make_questions(session, current)
        if step.finished:
            return {**step.result, "done": step.done, "total": step.total}
        current = job(kind, cursor=step.cursor, done=step.done, total=step.total)


async def asked_of(registry: Registry, household_id: str, kind: Kind) -> list[tuple[str, str]]:
    rows = await registry.rows(
        "SELECT subject_id, source FROM verification_items JOIN verifications "
        "USING (household_id, verification_id) WHERE household_id = :id AND kind = :kind "
        "ORDER BY subject_id, source",
        id=household_id,
        kind=kind.value,
    )
    return [(str(row["subject_id"]), row["source"]) for row in rows]


async def test_all_on_assistance_who_signed_are_asked_once_a_period(
    registry: Registry, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "CHUNK", 2)
    couple = await desk.household()
    first, second = desk.people[couple]
    await desk.signed(couple, first)
    await desk.signed(couple, second, sources=["death", "bank"])
    unsigned = await desk.household(person())
    over = await desk.household(person(), division_code=OTHER_TOWNSHIP)
    await ended_yesterday(registry, await desk.signed(over, desk.people[over][0]))
    struck_off = await desk.household(person())
    await desk.all_signed(struck_off)
    await desk.office.announce(struck_off, "exit", closed_on="2026-03-01")
    await desk.office.decide(struck_off, "exit", decided_on="2026-03-01", reason="自愿退出")

    made = await run(registry, Kind.LIGHT)
    again = await run(registry, Kind.LIGHT)

    light = sorted(source.value for source in LIGHT)
    asked = [(first, source) for source in light] + [(second, "death")]
    assert await asked_of(registry, couple, Kind.LIGHT) == sorted(asked)
    for nobody in (unsigned, over, struck_off):
        assert await asked_of(registry, nobody, Kind.LIGHT) == []
    assert made == {"questions": 5, "unasked": 2, "done": 3, "total": 3}
    assert again["questions"] == 0

    swept = await run(registry, Kind.SWEEP)
    assert swept["questions"] == len(Source) + 2
    (row,) = await registry.rows(
        "SELECT window_from, window_to, aid_type, requested_by FROM verifications "
        "WHERE household_id = :id AND kind = 'sweep'",
        id=couple,
    )
    last = clock.add_months(clock.month_of(clock.today()), -1)
    assert row == {
        "window_from": clock.add_months(last, -11),
        "window_to": last,
        "aid_type": "dibao",
        "requested_by": "system:registry",
    }


async def test_the_light_check_asks_death_and_prison_of_households_in_tracking(
    registry: Registry, desk: Desk
) -> None:
    signed = await desk.lifted()
    await desk.all_signed(signed)
    other = await desk.lifted()
    await desk.signed(other, desk.people[other][0], sources=["business", "vehicle", "bank"])
    unsigned = await desk.lifted()
    over = await desk.lifted()
    await ended_yesterday(registry, await desk.signed(over, desk.people[over][0]))
    gone = await desk.household(person())
    await desk.all_signed(gone)
    await desk.office.announce(gone, "exit", closed_on="2026-03-01")
    await desk.office.decide(gone, "exit", decided_on="2026-03-01", reason="自愿退出")

    await run(registry, Kind.LIGHT)
    await run(registry, Kind.LIGHT)
    await run(registry, Kind.SWEEP)

    (head,) = desk.people[signed]
    assert await asked_of(registry, signed, Kind.LIGHT) == [(head, "death"), (head, "justice")]
    for nobody in (other, unsigned, over, gone):
        assert await asked_of(registry, nobody, Kind.LIGHT) == []
    assert await asked_of(registry, signed, Kind.SWEEP) == []


@pytest.mark.parametrize(
    ("source", "data", "kind", "task", "stopped"),
    [
        ("death", {"died_on": "2026-01-01"}, "death_mark", "verification_death_mark", True),
        (
            "justice",
            {"terms": [{"kind": "prison", "from_on": "2026-01-01"}]},
            "counted_while_serving",
            "verification_doubt",
            False,
        ),
    ],
)
async def test_what_shows_there_does_what_it_does_elsewhere(
    registry: Registry,
    desk: Desk,
    sources: Sources,
    *,
    source: str,
    data: dict[str, Any],
    kind: str,
    task: str,
    stopped: bool,
) -> None:
    id_number = number_of(**{source: BY_FILE})
    household_id = await desk.lifted(person(id_number=id_number))
    await desk.all_signed(household_id)
    await run(registry, Kind.LIGHT)
    await sources.rounds(registry)
    (made,) = await registry.rows(
        "SELECT verification_id FROM verifications WHERE household_id = :id", id=household_id
    )

    content = line({"verification_id": str(made["verification_id"])}, id_number, data=data)
    assert (await hand_in(desk, content, source)).json()["stored"] == 1

    (doubt,) = await registry.rows(
        "SELECT doubt_id, kind FROM verification_doubts WHERE household_id = :id", id=household_id
    )
    assert doubt["kind"] == kind
    board = await registry.rows(
        "SELECT kind FROM tasks WHERE subject_id = :id AND closed_on IS NULL", id=doubt["doubt_id"]
    )
    assert [each["kind"] for each in board] == [task]
    (after,) = await registry.rows(
        "SELECT stopped_on FROM verifications WHERE household_id = :id", id=household_id
    )
    assert (after["stopped_on"] is not None) is stopped


@pytest.mark.parametrize(
    ("day", "periods"),
    [
        (date(2026, 6, 30), {"light": "2026-06-01", "sweep": "2026-01-01"}),
        (date(2026, 7, 1), {"light": "2026-07-01", "sweep": "2026-07-01"}),
        (date(2026, 12, 31), {"light": "2026-12-01", "sweep": "2026-07-01"}),
    ],
)
async def test_each_check_is_ordered_once_a_period(
    registry: Registry, day: date, periods: dict[str, str]
) -> None:
    await registry.forget("jobs")

    for _ in range(2):
        async with registry.worker.transaction() as session:
            assert await sweeping.order_checks(session, day) is False

    rows = await registry.rows("SELECT arguments FROM jobs ORDER BY created_at, job_id")
    assert [row["arguments"] for row in rows] == [
        {"kind": kind, "period": period} for kind, period in periods.items()
    ]
