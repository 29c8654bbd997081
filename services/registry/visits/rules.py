"""What a visit must say, and when the next one is due (C23, C53, R35; section 5). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from services.registry.returns.rules import ReportedKind
from shared import clock
from shared.contracts.registry import State
from shared.errors import Fault

MONTHS_BETWEEN = "visits.months_between"
"""The parameter with the months between two visits of a household on assistance."""
FIRST_YEAR = "tracking.visit_months.first_year"
"""The parameter with the months between two visits in the first year after a lift."""
AFTER = "tracking.visit_months.after"
"""The same from the second year on."""
ALARM = "visits.alarm_months"
"""The parameter with the months without a visit after which a household raises an alarm."""
_YEAR = 12
_PHOTO_DAYS = 3
_LATITUDES = (Decimal(27), Decimal(29))
_LONGITUDES = (Decimal(118), Decimal(121))


class VisitKind(StrEnum):
    """Whom a visit is to: a household on assistance, or one lifted and tracked."""

    HELPER = "helper"
    TRACKING = "tracking"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSign:
    """A sign of hardship seen at the door; ``amount`` in yuan."""

    kind: ReportedKind
    amount: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was seen, when and where; the five living conditions are None where nobody looked."""

    visited_on: date
    findings: str
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    food_and_clothing: bool | None = None
    housing: bool | None = None
    medical: bool | None = None
    schooling: bool | None = None
    income: bool | None = None
    photos: tuple[UUID, ...] = ()
    hardships: tuple[SeenSign, ...] = ()


def kind_of(state: State) -> VisitKind | None:
    """What a visit to a household in this state is; None where nobody is to visit it."""
    if state.on_assistance:
        return VisitKind.HELPER
    return VisitKind.TRACKING if state is State.LIFTED else None


def visit_faults(
    facts: Facts,
    visit: Visit,
    taken: Mapping[UUID, datetime | None],
    *,
    officer_id: str | None,
    today: date,
) -> list[Fault]:
    """All that speaks against a visit. ``taken``: when each photo was taken, where that is known.

    Example: visited on the 20th: photos of the 17th to the 20th are of the visit, one of the 16th
    or the 21st is not (``photo_of_another_day``).
    """
    faults = officer_faults(officer_id)
    faults += day_faults("visited_on", visit.visited_on, today=today)
    if kind_of(facts.state) is None:
        faults.append(fault("", "household_not_assisted", "只登记在册或跟踪期家庭的走访"))
    elif visit.visited_on < _since(facts):
        faults.append(fault("visited_on", "before_episode", "不能早于本轮认定或脱贫日期"))
    if not visit.findings.strip():
        faults.append(fault("findings", "findings_missing", "须以文字写明走访所见"))
    return faults + _place_faults(visit) + _photo_faults(visit, taken)


def _since(facts: Facts) -> date:
    last = facts.episodes[-1]
    return last.lifted_on if facts.state is State.LIFTED and last.lifted_on else last.identified_on


def _place_faults(visit: Visit) -> list[Fault]:
    given = (visit.latitude, visit.longitude)
    if given == (None, None):
        return []
    if visit.latitude is None or visit.longitude is None:
        return [fault("latitude", "place_incomplete", "经纬度须同时填写")]
    inside = _LATITUDES[0] <= visit.latitude <= _LATITUDES[1]
    inside &= _LONGITUDES[0] <= visit.longitude <= _LONGITUDES[1]
    return [] if inside else [fault("latitude", "place_elsewhere", "定位不在丽水市范围内")]


def _photo_faults(visit: Visit, taken: Mapping[UUID, datetime | None]) -> list[Fault]:
    faults = []
    for at, photo in enumerate(visit.photos):
        moment = taken.get(photo)
        if moment and not 0 <= (visit.visited_on - clock.day_of(moment)).days <= _PHOTO_DAYS:
            message = "照片拍摄日期与走访日期不符"
            faults.append(fault(f"photos/{at}", "photo_of_another_day", message))
    return faults


def tracking_days(lifted_on: date, months: int, first_year: int, after: int) -> tuple[date, ...]:
    """The days by which a lifted household is visited, until its tracking ends.

    Example: lifted on 2026-01-31, 18 months, quarterly and then half-yearly: 2026-04-30, -07-31,
    -10-31, 2027-01-31, 2027-07-31.
    """
    days: list[date] = []
    at = 0
    while True:
        at += first_year if at + first_year <= _YEAR else after
        if at > months:
            return tuple(days)
        days.append(clock.add_months(lifted_on, at))


def met(days: Sequence[date], lifted_on: date, visits: Sequence[date]) -> dict[date, date | None]:
    """For each planned day the visit that met it: the last one after the planned day before.

    Example: planned for 30 April and 31 July, visited on 20 March and 1 August: 30 April is met by
    20 March, 31 July by nobody.
    """
    found: dict[date, date | None] = {}
    before = lifted_on
    for day in days:
        within = [visit for visit in visits if before < visit <= day]
        found[day] = max(within, default=None)
        before = day
    return found
