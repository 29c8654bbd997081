"""``bulk``: the city's nine rosters, from the files to the last event applied by every service.

One county after the other hands its workbook in at registry's api; registry's worker reads, judges
and opens the households, its relay tells, and the five listening services apply: copies, grants,
guarantees, student files, house files, labour profiles, time lines. Rows are people, as in the
sheets. The baseline copies the same rows into one table.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx

from services.registry.rosters.columns import COLUMNS
from tests.bench import rosters
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides, rate
from tests.bench.six import Six, six_services, value
from tests.support.stewards import appoint_steward
from tests.support.waiting import until

_LONGEST_SECONDS = 3_000.0
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    files = await asyncio.to_thread(rosters.write, bench.folder, scale)
    wanted = int(rosters.HOUSEHOLDS * scale) // rosters.COUNTIES * rosters.COUNTIES
    records = [_cells(row) for county in files for row in _rows(county, wanted // rosters.COUNTIES)]

    async def ours() -> Run:
        async with six_services(bench, with_apis=("registry",)) as six:
            await appoint_steward(six.databases["registry"])
            started = time.perf_counter()
            for county, file in files.items():
                await _hand_in(bench, six, county, file)
            handed_in = time.perf_counter() - started

            async def opened() -> bool:
                bench.check()
                return bool(await value(six.databases["registry"], _IMPORTED, len(files)))

            await until(opened, what="nine imports", seconds=_LONGEST_SECONDS, every=0.2)
            imported = time.perf_counter() - started
            await until(
                lambda: six.listeners_have(wanted),
                what="five listeners",
                seconds=_LONGEST_SECONDS,
                every=0.2,
            )
            seconds = time.perf_counter() - started
            await _check(six, wanted, len(records))
        return rate(len(records), seconds, **{"handed in s": handed_in, "imported s": imported})

    async def baseline() -> Run:
        async with bench.database("registry") as database:
            connection = await asyncpg.connect(database.owner_url)
            names = [column.key for column in COLUMNS]
            columns = ", ".join(f'"{name}" text' for name in names)
            await connection.execute(f"CREATE TABLE bare_roster ({columns})")
            started = time.perf_counter()
            await connection.copy_records_to_table("bare_roster", records=records, columns=names)
            seconds = time.perf_counter() - started
            await connection.close()
        return rate(len(records), seconds)

    yield Sides(ours=ours, baseline=baseline)


async def _hand_in(bench: Bench, six: Six, county: str, file: Path) -> None:
    headers = bench.tokens.headers(
        scopes="registry.rosters:write", officer=f"officer-{county}", divisions=(county,)
    )
    async with httpx.AsyncClient(trust_env=False, timeout=600) as client:
        answer = await client.post(
            f"{six.apis['registry']}/v1/rosters",
            params={"dry_run": "false"},
            files={"file": (file.name, await asyncio.to_thread(file.read_bytes), _XLSX)},
            headers={**headers, "Idempotency-Key": f"bench-{county}"},
        )
    answer.raise_for_status()


async def _check(six: Six, households: int, people: int) -> None:
    """Everybody of the sheets is in the registry, and every service has its copies."""
    for name, database in six.databases.items():
        copies, members = (
            ("households", "members") if name == "registry" else ("household_copy", "member_copy")
        )
        found = (
            await value(database, f"SELECT count(*) FROM {copies}"),  # noqa: S608 (own names)
            await value(database, f"SELECT count(*) FROM {members}"),  # noqa: S608 (own names)
        )
        if found != (households, people):
            raise RuntimeError(f"{name} holds {found}, not {(households, people)}")


def _rows(county: str, count: int) -> list[dict[str, object]]:
    return [dict(row) for household in rosters.households(county, count) for row in household]


def _cells(row: dict[str, object]) -> tuple[str | None, ...]:
    cells = (row.get(column.key) for column in COLUMNS)
    return tuple(None if cell is None else str(cell) for cell in cells)


_IMPORTED = "SELECT count(*) = $1 FROM jobs WHERE state = 'succeeded'"

ROWS = (
    Row(
        name="bulk",
        unit="people/s",
        goal=Goal(at_least=0.05, aim=0.15),
        open=_open,
        figure=180_000.0,
        most_megabytes=600,
    ),
)
