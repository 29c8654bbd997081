"""Compulsory education: six by 31 August to sixteen, or junior school done (policy section 6)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.education.students.rules import (
    ALL_AT_SCHOOL,
    NOBODY_COMPULSORY,
    NONE_FOUND_OUT,
    Doubt,
    Exemption,
    Pupil,
    Standing,
    age_on,
    compulsory_from,
    exemption,
    guarantee,
    judge,
    next_look,
    school_year,
)
from shared.contracts.registry import Education, SchoolStage
from shared.identity import new_id

TODAY = date(2026, 11, 24)
NOT = SchoolStage.NOT_AT_SCHOOL


def pupil(
    born: date = date(2016, 3, 1),
    stage: SchoolStage | None = NOT,
    education: Education | None = None,
    *,
    excused: bool = False,
) -> Pupil:
    return Pupil(
        person_id=new_id(), birth_date=born, stage=stage, education=education, excused=excused
    )


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(2012, 3, 1), date(2028, 2, 29), 15),
        (date(2012, 3, 1), date(2028, 3, 1), 16),
        (date(2012, 2, 29), date(2027, 2, 28), 14),
        (date(2012, 2, 29), date(2027, 3, 1), 15),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
    ],
)
def test_ages_are_full_years(born: date, on: date, age: int) -> None:
    assert age_on(born, on) == age


@pytest.mark.parametrize(
    ("on", "year"),
    [(date(2026, 8, 31), 2025), (date(2026, 9, 1), 2026), (date(2027, 2, 1), 2026)],
)
def test_school_years_begin_on_1_september(on: date, year: int) -> None:
    assert school_year(on) == year


@pytest.mark.parametrize(
    ("born", "on", "why_not"),
    [
        # six by 31 August of the school year, both sides
        (date(2020, 8, 31), date(2026, 9, 1), None),
        (date(2020, 9, 1), date(2026, 9, 1), Exemption.TOO_YOUNG),
        (date(2020, 9, 1), date(2027, 8, 31), Exemption.TOO_YOUNG),
        (date(2020, 9, 1), date(2027, 9, 1), None),
        # six already, but before the school year begins
        (date(2020, 8, 31), date(2026, 8, 31), Exemption.TOO_YOUNG),
        (date(2020, 1, 5), date(2026, 6, 1), Exemption.TOO_YOUNG),
        # under sixteen, both sides
        (date(2010, 11, 25), TODAY, None),
        (date(2010, 11, 24), TODAY, Exemption.SIXTEEN_OR_OVER),
    ],
)
def test_the_age(born: date, on: date, why_not: Exemption | None) -> None:
    assert exemption(pupil(born), on) is why_not


@pytest.mark.parametrize(
    ("education", "stage", "why_not"),
    [
        (None, NOT, None),
        (Education.ILLITERATE, NOT, None),
        (Education.PRIMARY, NOT, None),
        (Education.JUNIOR, NOT, Exemption.JUNIOR_COMPLETED),
        (Education.SENIOR, NOT, Exemption.JUNIOR_COMPLETED),
        (None, SchoolStage.JUNIOR, None),
        (None, SchoolStage.SENIOR, Exemption.JUNIOR_COMPLETED),
        (None, SchoolStage.VOCATIONAL, Exemption.JUNIOR_COMPLETED),
        (None, SchoolStage.JUNIOR_COLLEGE, Exemption.JUNIOR_COMPLETED),
        (None, SchoolStage.COLLEGE, Exemption.JUNIOR_COMPLETED),
    ],
)
def test_junior_school_completed(
    education: Education | None, stage: SchoolStage, why_not: Exemption | None
) -> None:
    assert exemption(pupil(date(2011, 5, 1), stage, education), TODAY) is why_not


TEN, FOURTEEN, FIFTEEN = date(2016, 3, 1), date(2011, 11, 25), date(2011, 11, 24)


@pytest.mark.parametrize(
    ("born", "stage", "education", "standing", "doubt"),
    [
        (TEN, SchoolStage.PRIMARY, None, Standing.AT_SCHOOL, None),
        (FOURTEEN, SchoolStage.JUNIOR, None, Standing.AT_SCHOOL, None),
        (FIFTEEN, SchoolStage.VOCATIONAL, None, Standing.AT_SCHOOL, None),
        (date(2005, 1, 1), SchoolStage.COLLEGE, None, Standing.AT_SCHOOL, None),
        # preschool is no compulsory school for a child who must be at one
        (TEN, SchoolStage.PRESCHOOL, None, Standing.UNKNOWN, Doubt.STILL_AT_PRESCHOOL),
        (date(2022, 1, 1), SchoolStage.PRESCHOOL, None, Standing.NOT_COMPULSORY, None),
        # junior school done, and gone
        (FIFTEEN, NOT, Education.JUNIOR, Standing.COMPLETED, None),
        (FIFTEEN, None, Education.SENIOR, Standing.COMPLETED, None),
        # out of school: red
        (TEN, NOT, None, Standing.OUT_OF_SCHOOL, None),
        (TEN, NOT, Education.PRIMARY, Standing.OUT_OF_SCHOOL, None),
        (FOURTEEN, NOT, None, Standing.OUT_OF_SCHOOL, None),
        (FIFTEEN, NOT, Education.PRIMARY, Standing.OUT_OF_SCHOOL, None),
        (FIFTEEN, NOT, Education.ILLITERATE, Standing.OUT_OF_SCHOOL, None),
        # completion unknown at fifteen: to be found out
        (FIFTEEN, NOT, None, Standing.UNKNOWN, Doubt.COMPLETION_UNKNOWN),
        # no stage said
        (TEN, None, None, Standing.UNKNOWN, Doubt.STAGE_UNKNOWN),
        (FIFTEEN, None, Education.PRIMARY, Standing.UNKNOWN, Doubt.STAGE_UNKNOWN),
        # not of the age
        (date(2010, 11, 24), NOT, None, Standing.NOT_COMPULSORY, None),
        (date(2023, 1, 1), NOT, None, Standing.NOT_COMPULSORY, None),
        (date(1980, 1, 1), None, None, Standing.NOT_COMPULSORY, None),
    ],
)
def test_standing(
    born: date,
    stage: SchoolStage | None,
    education: Education | None,
    standing: Standing,
    doubt: Doubt | None,
) -> None:
    how = judge(pupil(born, stage, education), TODAY)
    assert (how.standing, how.doubt) == (standing, doubt)


def test_a_proved_excuse_holds_where_the_child_would_be_out_of_school() -> None:
    assert judge(pupil(excused=True), TODAY).standing is Standing.EXCUSED
    assert judge(pupil(stage=SchoolStage.PRIMARY, excused=True), TODAY).standing is (
        Standing.AT_SCHOOL
    )


def test_the_guarantee_by_what_is_found_in_a_household() -> None:
    at_school, out = pupil(stage=SchoolStage.PRIMARY), pupil()
    unknown, adult = pupil(FIFTEEN), pupil(date(1980, 1, 1), None)
    assert guarantee([], TODAY) == (True, NOBODY_COMPULSORY)
    assert guarantee([adult], TODAY) == (True, NOBODY_COMPULSORY)
    assert guarantee([adult, at_school], TODAY) == (True, ALL_AT_SCHOOL)
    assert guarantee([at_school, unknown], TODAY) == (True, NONE_FOUND_OUT)
    assert guarantee([out, at_school, unknown], TODAY) == (
        False,
        f"out_of_school:{out.person_id}",
    )
    missing = Pupil(
        person_id=new_id(), birth_date=TEN, stage=SchoolStage.PRIMARY, open_case=new_id()
    )
    assert guarantee([out, missing], TODAY) == (False, f"dropout:{missing.open_case}")


def test_a_case_left_open_does_not_count_past_the_compulsory_age() -> None:
    born = date(2010, 11, 25)
    missing = Pupil(person_id=new_id(), birth_date=born, stage=None, open_case=new_id())
    assert guarantee([missing], date(2026, 11, 24)) == (False, f"dropout:{missing.open_case}")
    assert guarantee([missing], date(2026, 11, 25)) == (True, NOBODY_COMPULSORY)


@pytest.mark.parametrize(
    ("born", "on", "day"),
    [
        (date(2020, 8, 31), date(2026, 8, 1), date(2026, 9, 1)),
        (date(2020, 8, 31), date(2026, 9, 1), date(2035, 8, 31)),
        (date(2011, 11, 25), TODAY, date(2026, 11, 25)),
        (date(2011, 11, 24), TODAY, date(2027, 11, 24)),
        (date(2012, 2, 29), date(2026, 12, 1), date(2027, 3, 1)),
        (date(2010, 11, 24), TODAY, None),
    ],
)
def test_the_next_day_to_look(born: date, on: date, day: date | None) -> None:
    assert next_look([born], on) == day


BIRTHS = st.dates(date(2005, 1, 1), date(2026, 1, 1))


@given(born=BIRTHS, on=st.dates(date(2010, 1, 1), date(2045, 1, 1)))
def test_entry_is_six_by_31_august_of_the_day_s_school_year(born: date, on: date) -> None:
    six = age_on(born, date(school_year(on), 8, 31)) >= 6 and born <= date(school_year(on), 8, 31)
    assert (on >= compulsory_from(born)) is six


@given(
    born=BIRTHS,
    on=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    stage=st.sampled_from([None, *SchoolStage]),
    education=st.sampled_from([None, *Education]),
    days=st.integers(1, 400),
)
def test_no_standing_changes_before_the_next_look(
    born: date,
    on: date,
    stage: SchoolStage | None,
    education: Education | None,
    days: int,
) -> None:
    """What the turn relies on: between two looks nothing changes by the day alone."""
    one, later = pupil(born, stage, education), on + timedelta(days=days)
    look = next_look([born], on)
    if look is None or later < look:
        assert judge(one, later) == judge(one, on)
