"""``export``: a county's full roster, 100,000 people x 80 columns, from the request to the end.

Ours is ``GET /v1/rosters/full`` of one api process: authorised, read by pages under row-level
security, decrypted and masked, put into words, streamed as a packed workbook. The baseline is bare
xlsxwriter in its constant memory, writing as many cells of the same kinds from a list that lies
ready; it reads nothing and sends nothing.
"""

import asyncio
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx
import openpyxl
import orjson

from services.registry.rosters.wide import FIRST_ROW
from services.registry.rosters.wide_columns import WIDE
from tests.bench import county
from tests.bench.alone import answer_of
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides, rate
from tests.registry.rosters.beside import write_beside

PEOPLE = 100_000
SAMPLE = 2_000
"""So many of our rows are given to the baseline, which writes them again and again."""
_PEOPLE_A_HOUSEHOLD = 13 / 6
_LONGEST_SECONDS = 900.0
_one_each = count()


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    households = int(PEOPLE * scale / _PEOPLE_A_HOUSEHOLD) // 1_000 * 1_000
    number = next(_one_each)
    async with bench.database("registry") as database:
        await county.fill(database, households)
        await write_beside(database)
        settings = bench.surroundings.settings("registry", database, database_pool_size=10)
        headers = bench.tokens.headers(
            scopes="registry.rosters:read", officer="o1", divisions=(county.COUNTY,)
        )
        async with bench.api(settings, f"registry-api-export-{number}") as address:
            place = bench.folder / f"full-roster-{number}.xlsx"
            await _fetch(address, headers, place)  # warm, and the cells for the baseline
            people = await asyncio.to_thread(_people, place)
            sample = await asyncio.to_thread(_cells, bench.folder, place)

            async def ours() -> Run:
                seconds, first = await _fetch(address, headers, place)
                await _check(place, people)
                return rate(people, seconds, **{"first byte s": first, "MB": _megabytes(place)})

            async def baseline() -> Run:
                bare = bench.folder / f"bare-{number}.xlsx"
                told = await answer_of(bench, "tests.bench.baselines.export", bare, sample, people)
                await _check(bare, people)
                return rate(people, told["seconds"], MB=_megabytes(bare))

            yield Sides(ours=ours, baseline=baseline)


async def _fetch(address: str, headers: dict[str, str], place: Path) -> tuple[float, float]:
    """Save the roster; gives the seconds until it is whole and until its first byte."""
    first = 0.0
    started = time.perf_counter()
    async with (
        httpx.AsyncClient(trust_env=False, timeout=_LONGEST_SECONDS) as client,
        client.stream(
            "GET",
            f"{address}/v1/rosters/full",
            params={"division": county.COUNTY},
            headers=headers,
        ) as answer,
    ):
        answer.raise_for_status()
        with place.open("wb") as file:
            async for piece in answer.aiter_raw():
                first = first or time.perf_counter() - started
                file.write(piece)
    return time.perf_counter() - started, first


def _cells(folder: Path, place: Path) -> Path:
    """A file with the cells of the first people of our workbook; what is a day is text in it."""
    book = openpyxl.load_workbook(place, read_only=True)
    try:
        rows = list(
            book.worksheets[0].iter_rows(
                min_row=FIRST_ROW,
                max_row=FIRST_ROW + SAMPLE - 1,
                max_col=len(WIDE),
                values_only=True,
            )
        )
    finally:
        book.close()
    if any(len(row) != len(WIDE) for row in rows):
        raise RuntimeError("a row of the full roster has not its 80 columns")
    sample = folder / f"{place.stem}-cells.json"
    sample.write_bytes(orjson.dumps(rows, default=str))
    return sample


def _people(place: Path) -> int:
    """The rows of our workbook below its headers, counted without unpacking it whole."""
    return _rows(place) - (FIRST_ROW - 1)


def _rows(place: Path) -> int:
    tag, found, rest = b"<row ", 0, b""
    with zipfile.ZipFile(place) as packed, packed.open("xl/worksheets/sheet1.xml") as sheet:
        while piece := sheet.read(1 << 20):
            found += (rest + piece).count(tag)
            rest = piece[1 - len(tag) :]
    return found


async def _check(place: Path, people: int) -> None:
    """Neither side may leave anybody out."""
    found = await asyncio.to_thread(_rows, place)
    if found not in {people, people + FIRST_ROW - 1}:
        raise RuntimeError(f"{place.name} holds {found} rows for {people} people")


def _megabytes(place: Path) -> float:
    return place.stat().st_size / 1_000_000


ROWS = (
    Row(
        name="export",
        unit="people/s",
        goal=Goal(at_least=0.6, aim=1.0),
        open=_open,
        figure=3_900.0,
        most_megabytes=400,
    ),
)
