"""Names of places lead to codes; and one workbook is one county."""

from pathlib import Path

import pytest

from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.placing import Gazetteer, county_of_workbook
from shared import divisions

CSV = Path(__file__).parents[3] / "deploy" / "sample" / "divisions.csv"
NAMES = divisions.Directory(divisions.read_csv(CSV))
COUNTIES = {one.code: one.name for one in NAMES.divisions if one.level == "county"}
SONGYANG = Gazetteer(NAMES, "331124")


@pytest.mark.parametrize("village", ["下田村", "下田村村委会", "下田"])
def test_a_village_is_found_as_people_write_it(village: str) -> None:
    place = SONGYANG.place("三都乡", village)
    assert place.fault is None
    assert len(place.code) == 12
    assert place.code.startswith("331124203")


@pytest.mark.parametrize(
    ("township", "village", "code", "fault"),
    [
        ("", "下田村", "331124", "township_missing"),
        ("青田镇", "下田村", "331124", "township_unknown"),
        ("三都乡", "", "331124203", "village_missing"),
        ("三都乡", "不存在村", "331124203", "village_unknown"),
    ],
)
def test_a_name_that_leads_nowhere_is_the_fault(
    township: str, village: str, code: str, fault: str
) -> None:
    place = SONGYANG.place(township, village)
    assert place.code == code
    assert place.fault is not None
    assert place.fault[1] == fault


def test_the_county_follows_from_the_townships() -> None:
    townships = {"三都乡": ("B5", 3), "西屏街道": ("B9", 1)}
    assert county_of_workbook(townships, NAMES, COUNTIES) == "331124"


def test_a_township_nobody_knows_is_left_to_its_households() -> None:
    townships = {"三都乡": ("B5", 3), "不存在乡": ("B9", 1), "": ("B10", 1)}
    assert county_of_workbook(townships, NAMES, COUNTIES) == "331124"


def test_townships_of_two_counties_are_refused_by_name_and_cell() -> None:
    townships = {"三都乡": ("B5", 3), "鹤城街道": ("B9", 1)}
    with pytest.raises(UnusableWorkbookError) as refused:
        county_of_workbook(townships, NAMES, COUNTIES)
    assert refused.value.code == "workbook_two_counties"
    assert "松阳县" in refused.value.detail
    assert "青田县" in refused.value.detail
    ((cell, code, _),) = refused.value.faults
    assert (cell, code) == ("B9", "township_of_another_county")


@pytest.mark.parametrize("townships", [{}, {"": ("B5", 1)}, {"不存在乡": ("B5", 1)}])
def test_no_known_township_at_all_is_refused(townships: dict[str, tuple[str, int]]) -> None:
    with pytest.raises(UnusableWorkbookError, match="workbook_place_unknown"):
        county_of_workbook(townships, NAMES, COUNTIES)
