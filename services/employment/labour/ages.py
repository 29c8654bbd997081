"""Legal working age (法定劳动年龄) by sex and birth month: from 16 to the retirement age (C44).

Sources: 劳动法 art. 15 (from 16); 国务院关于渐进式延迟法定退休年龄的办法, attached to the decision
of the Standing Committee of the National People's Congress of 2024-09-13, in force from 2025-01-01,
its tables 1 (men) and 2 (women with 55); before it 60 and 55 (policy section 6).
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from shared.clock import add_months
from shared.contracts.registry import Sex

MONTHS_A_YEAR = 12
WORKING_FROM_YEARS = 16


@dataclass(frozen=True, slots=True)
class RetirementScale:
    """One table of the decree: the age before it, and who is the first to retire later.

    From the birth month ``first_birth`` on the age rises one month for every ``births_a_step``
    birth months begun, by ``most_months`` at the most.
    """

    years: int
    first_birth: date
    births_a_step: int = 4
    most_months: int = 36


SCALES = {
    Sex.MALE: RetirementScale(60, date(1965, 1, 1)),
    Sex.FEMALE: RetirementScale(55, date(1970, 1, 1)),
}
"""Women by the scale of 55, not that of 50: 50 was the age of women workers in enterprises and went
with the post. A rural member has none, and the policy's own default for women is 16 to 54.

Who was born before ``first_birth`` reached the old age before 2025-01-01, and whoever was born
later did not: one table by birth month holds on every day, before the reform and after it.
"""


@dataclass(frozen=True, slots=True)
class WorkingAge:
    """Of legal working age from ``begins_on`` until the day before ``ends_on``."""

    begins_on: date
    ends_on: date

    def covers(self, day: date) -> bool:
        """Whether ``day`` lies in it: the 16th birthday does, the day of retirement does not."""
        return self.begins_on <= day < self.ends_on


def months_later(sex: Sex, birth_date: date) -> int:
    """By how many months the reform moves the retirement age of this birth month.

    Men: 0 up to 1964-12, 1 for 1965-01 to 1965-04, 2 for the four after, 36 from 1976-09 on.
    Women: the same from 1970-01; 36 from 1981-09 on.
    """
    scale = SCALES[sex]
    births = (birth_date.year - scale.first_birth.year) * MONTHS_A_YEAR
    births += birth_date.month - scale.first_birth.month
    if births < 0:
        return 0
    return min(births // scale.births_a_step + 1, scale.most_months)


@lru_cache(maxsize=65_536)
def working_age(sex: Sex, birth_date: date) -> WorkingAge:
    """The days on which somebody is of legal working age (C44).

    Example: a man born on 1965-01-15 from 1981-01-15 until 2025-02-14, the day before he is 60
    years and 1 month old.
    """
    until = SCALES[sex].years * MONTHS_A_YEAR + months_later(sex, birth_date)
    return WorkingAge(
        begins_on=add_months(birth_date, WORKING_FROM_YEARS * MONTHS_A_YEAR),
        ends_on=add_months(birth_date, until),
    )
