"""C44: legal working age, at the corners of the published tables and on both sides of them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.employment.labour.ages import months_later, working_age
from shared.clock import add_months
from shared.contracts.registry import Sex

REFORM = date(2025, 1, 1)
ONE_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("sex", "born", "years", "months"),
    [
        (Sex.MALE, date(1964, 12, 31), 60, 0),
        (Sex.MALE, date(1965, 1, 1), 60, 1),  # the first line of table 1
        (Sex.MALE, date(1965, 4, 30), 60, 1),
        (Sex.MALE, date(1965, 5, 1), 60, 2),
        (Sex.MALE, date(1965, 12, 1), 60, 3),
        (Sex.MALE, date(1966, 1, 1), 60, 4),
        (Sex.MALE, date(1968, 12, 1), 61, 0),
        (Sex.MALE, date(1969, 1, 1), 61, 1),
        (Sex.MALE, date(1976, 8, 31), 62, 11),
        (Sex.MALE, date(1976, 9, 1), 63, 0),  # from here on 63
        (Sex.MALE, date(1976, 12, 31), 63, 0),
        (Sex.MALE, date(1977, 1, 1), 63, 0),
        (Sex.MALE, date(2010, 1, 1), 63, 0),
        (Sex.FEMALE, date(1969, 12, 31), 55, 0),
        (Sex.FEMALE, date(1970, 1, 1), 55, 1),  # the first line of table 2
        (Sex.FEMALE, date(1970, 4, 30), 55, 1),
        (Sex.FEMALE, date(1970, 5, 1), 55, 2),
        (Sex.FEMALE, date(1971, 4, 1), 55, 4),
        (Sex.FEMALE, date(1973, 12, 31), 56, 0),
        (Sex.FEMALE, date(1981, 8, 31), 57, 11),
        (Sex.FEMALE, date(1981, 9, 1), 58, 0),  # from here on 58
        (Sex.FEMALE, date(2000, 1, 1), 58, 0),
    ],
)
def test_the_retirement_age_of_a_birth_month(sex: Sex, born: date, years: int, months: int) -> None:
    age = working_age(sex, born)
    assert age.ends_on == add_months(born, years * 12 + months)
    assert age.covers(age.ends_on - ONE_DAY)
    assert not age.covers(age.ends_on)


@pytest.mark.parametrize(
    ("born", "on", "covered"),
    [
        (date(2010, 11, 24), date(2026, 11, 23), False),  # 15: a day too young
        (date(2010, 11, 24), date(2026, 11, 24), True),  # the 16th birthday
        (date(2008, 2, 29), date(2024, 2, 28), False),
        (date(2008, 2, 29), date(2024, 2, 29), True),
        (date(1965, 1, 15), date(2025, 2, 14), True),  # the docstring's example
        (date(1965, 1, 15), date(2025, 2, 15), False),
        (date(1965, 1, 31), date(2025, 2, 27), True),  # held to the month's end
        (date(1965, 1, 31), date(2025, 2, 28), False),
    ],
)
def test_working_age_of_a_man_on_a_day(born: date, on: date, covered: bool) -> None:
    assert working_age(Sex.MALE, born).covers(on) is covered


births = st.dates(date(1940, 1, 1), date(2015, 12, 31))


@given(births, st.sampled_from(list(Sex)), st.dates(date(2014, 1, 1), REFORM - ONE_DAY))
def test_before_the_reform_the_old_ages_hold(born: date, sex: Sex, on: date) -> None:
    years = 60 if sex is Sex.MALE else 55
    old = add_months(born, 16 * 12) <= on < add_months(born, years * 12)
    assert working_age(sex, born).covers(on) is old


@given(births, births, st.sampled_from(list(Sex)))
def test_the_younger_never_retires_earlier(one: date, other: date, sex: Sex) -> None:
    older, younger = sorted((one, other))
    assert working_age(sex, older).ends_on <= working_age(sex, younger).ends_on
    assert 0 <= months_later(sex, older) <= months_later(sex, younger) <= 36
