"""From the roster alone, after `make up`: every service shows the cases that it opened by itself.

The figures are counted from the workbook by an independent reader.
"""

from typing import Any

import pytest

from shared import clock
from tests.support.platform import COUNTY, Platform
from tests.support.waiting import until
from tests.support.workbook_counts import counts


async def summary(platform: Platform, service: str, path: str, scopes: str) -> dict[str, Any]:
    """A service's own figures of the county."""
    answer = await platform.ask("GET", service, path, scopes=scopes, params={"division": COUNTY})
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def counted() -> dict[str, int]:
    """What the workbook holds, today."""
    return counts(clock.today())


async def test_housing_has_a_file_of_every_c_and_d_house(
    sample_platform: Platform, counted: dict[str, int]
) -> None:
    async def look() -> bool:
        found = await summary(
            sample_platform, "housing", "/v1/house-files/summary", "housing.surveys:read"
        )
        wanted = (counted["house_files_c"], counted["house_files_d"])
        return (found["open_c"], found["open_d"]) == wanted

    await until(look, what=f"{counted['house_files_c']} C and {counted['house_files_d']} D files")


async def test_education_has_a_file_of_every_member_at_school(
    sample_platform: Platform, counted: dict[str, int]
) -> None:
    async def look() -> bool:
        found = await summary(
            sample_platform, "education", "/v1/students/summary", "education.students:read"
        )
        return bool(found["enrolled"] == counted["student_files"])

    await until(look, what=f"{counted['student_files']} student files")


async def test_employment_has_every_profile_and_zero_employment_household(
    sample_platform: Platform, counted: dict[str, int]
) -> None:
    async def look() -> bool:
        found = await summary(
            sample_platform, "employment", "/v1/labour-profiles/summary", "employment.labour:read"
        )
        wanted = (counted["labour_profiles"], counted["zero_employment"])
        return (found["profiles"], found["zero_employment_open"]) == wanted

    await until(
        look,
        what=f"{counted['labour_profiles']} profiles and {counted['zero_employment']} households",
    )


async def test_notify_has_the_county_in_its_figures(
    sample_platform: Platform, counted: dict[str, int]
) -> None:
    async def look() -> bool:
        found = await summary(sample_platform, "notify", "/v1/figures", "notify.figures:read")
        totals = [
            sum(row[what] for row in found["households"]) for what in ("households", "people")
        ]
        return totals == [counted["households"], counted["people"]]

    await until(look, what="every household and person in notify's figures")
