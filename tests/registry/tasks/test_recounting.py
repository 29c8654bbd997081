"""What was counted by weekday is counted anew once the year's holidays are announced."""

from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

from services.registry.tasks.actions import Opening, open_tasks
from services.registry.tasks.models import TaskKind
from services.registry.tasks.recounting import recount_provisional
from shared import workdays
from shared.workdays import Deadline
from tests.registry.filing import Registry
from tests.registry.told import VILLAGE

NEW_YEAR = "day,working,name\n2031-01-01,0,元旦\n2031-01-04,1,\n"
"""2031 as it might be announced: Wednesday the 1st is off, Saturday the 4th is worked."""


async def opened(registry: Registry, limit: Deadline) -> UUID:
    subject_id = uuid4()
    async with registry.worker.transaction() as session:
        one = Opening(
            kind=TaskKind.RETURN_CHECK, subject_id=subject_id, division_code=VILLAGE, due=limit
        )
        await open_tasks(session, [one])
    return subject_id


async def due(registry: Registry, subject_id: UUID) -> tuple[date, bool]:
    (row,) = await registry.rows(
        "SELECT due_on, due_provisional FROM tasks WHERE subject_id = :id", id=subject_id
    )
    return row["due_on"], row["due_provisional"]


async def test_a_provisional_day_is_counted_anew_once_and_no_other(
    registry: Registry, tmp_path: Path
) -> None:
    announced = tmp_path / "2031.csv"
    announced.write_text(NEW_YEAR)
    async with registry.worker.transaction() as session:
        calendar = await workdays.load(session)
    third_day = await opened(registry, calendar.add(date(2030, 12, 31), 3))
    eighth_day = await opened(registry, calendar.add(date(2030, 12, 31), 8))
    next_year = await opened(registry, Deadline(date(2032, 1, 9), provisional=True))
    firm = await opened(registry, Deadline(date(2031, 1, 3)))
    assert await due(registry, third_day) == (date(2031, 1, 3), True)

    for _ in range(2):
        await turned(registry)
        assert await due(registry, third_day) == (date(2031, 1, 3), True)
    async with registry.worker.transaction() as session:
        await workdays.load_csv(session, announced)
    for _ in range(2):
        await turned(registry)
        assert await due(registry, third_day) == (date(2031, 1, 4), False)
        assert await due(registry, eighth_day) == (date(2031, 1, 10), False)
        assert await due(registry, next_year) == (date(2032, 1, 9), True)
        assert await due(registry, firm) == (date(2031, 1, 3), False)


async def turned(registry: Registry) -> None:
    async with registry.worker.transaction() as session:
        assert await recount_provisional(session, date(2030, 12, 1)) is False
