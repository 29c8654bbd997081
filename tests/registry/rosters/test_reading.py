"""Workbooks open in a child: bounded in memory, harmless to the loop that waits."""

import asyncio
import io
import re
import resource
import time
import zipfile

import pytest

from services.registry.rosters import child, reading
from services.registry.rosters.archive import UnusableWorkbookError
from tests.registry.rosters import sheets
from tests.registry.rosters.sheets import household, person


def test_a_glance_counts_households_by_township() -> None:
    content = sheets.workbook(
        [
            household(person(1), person(2, relation="配偶")),
            household(person(3), township="西屏街道"),
            household(person(5)),
        ]
    )
    seen = reading.survey(content)
    assert (seen.rows, seen.households) == (4, 3)
    assert seen.townships == {"三都乡": ("B5", 2), "西屏街道": ("B7", 1)}


def test_a_template_nobody_filled_in_is_empty() -> None:
    with pytest.raises(UnusableWorkbookError, match="workbook_empty"):
        reading.survey(sheets.workbook([]))


async def test_what_a_child_refuses_arrives_whole() -> None:
    with pytest.raises(UnusableWorkbookError) as refused:
        await child.run(reading.survey, b"%PDF-1.4")
    assert refused.value.code == "workbook_not_excel"
    assert "PDF" in refused.value.detail


def far_cell() -> bytes:
    """A few kB whose one stray cell makes a reader reserve sixteen billion cells."""
    target = io.BytesIO()
    plain = sheets.workbook([household(person(1))])
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            xml = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                stray = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                xml = xml.replace(b"</sheetData>", stray)
            new.writestr(entry.filename, xml)
    return target.getvalue()


async def test_a_sheet_that_eats_memory_ends_its_child_alone() -> None:
    with pytest.raises(UnusableWorkbookError, match="workbook_unpacks_too_large"):
        await child.run(reading.survey, far_cell())
    seen = await child.run(reading.survey, sheets.workbook([household(person(1))]))
    assert seen.households == 1


def many_rows(rows: int) -> bytes:
    """The template with one household repeated; its ID numbers do not matter here."""
    plain = sheets.workbook([household(person(1))])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            xml = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                row = re.search(rb'<row r="5".*?</row>', xml, re.DOTALL)
                assert row
                again = b"".join(
                    re.sub(rb'r="([A-Z]*)5"', rb'r="\g<1>%d"' % at, row[0])
                    for at in range(6, rows + 5)
                )
                xml = xml.replace(row[0], row[0] + again)
            new.writestr(entry.filename, xml, zipfile.ZIP_DEFLATED)
    return target.getvalue()


async def test_a_large_county_neither_bloats_nor_blocks_who_asks() -> None:
    content = await asyncio.to_thread(many_rows, 30_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    longest, over = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        while not over.is_set():
            started = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - started)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        seen = await child.run(reading.survey, content)
        over.set()
    assert seen.rows == 30_000
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 60, f"the parent grew by {grown_mb:.0f} MB"
    assert longest < 1.0, f"the loop stood still for {longest:.2f} s"
