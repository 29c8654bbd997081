"""Who may stand in the register of contacts; how good a division's data is (C59, C61). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from services.registry.households.admission import contact_faults
from services.registry.households.rules import day_faults, fault
from shared.errors import Fault


class Role(StrEnum):
    """What a contact is there for."""

    DATA_STEWARD = "data_steward"
    LIAISON = "liaison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An official to be entered; ``division_code`` is the place that the unit works for."""

    role: Role
    division_code: str
    unit: str
    officer_id: str
    name: str
    appointed_on: date
    bureau: str | None = None
    phone: str | None = None


def appointment_faults(one: Appointment, *, today: date) -> list[Fault]:
    """All that speaks against an appointment: a day in the future, a phone that cannot be one."""
    faults = day_faults("appointed_on", one.appointed_on, today=today)
    return faults + contact_faults(one.phone, None)


def ending_faults(ended_on: date, *, appointed_on: date, today: date) -> list[Fault]:
    """All that speaks against ending one on a day. The day of the appointment itself is allowed."""
    faults = day_faults("ended_on", ended_on, today=today)
    if ended_on < appointed_on:
        faults.append(fault("ended_on", "ended_before_appointed", "结束日期不能早于任职日期"))
    return faults


MEASURES: Mapping[str, str] = {
    "id_numbers": "people",
    "insured_stated": "people",
    "work_stated": "people",
    "phones": "households",
    "accounts": "households",
    "causes": "households",
    "house_grades": "households",
    "guarantees": "households",
}
"""What is measured of households on assistance, and of how many: a share of people or of files."""


def share(counted: int, of: int) -> Decimal:
    """A share in percent, rounded once to two places. Example: 2 of 3 is 66.67; 0 of 0 is 100."""
    if not of:
        return Decimal("100.00")
    return (Decimal(100) * counted / of).quantize(Decimal("0.01"), ROUND_HALF_UP)


def score(counts: Mapping[str, int]) -> Decimal:
    """The mean of all shares, each weighing the same, rounded once; from 0 to 100 (C59).

    ``counts`` has each of MEASURES, and ``people`` and ``households``. Example: 4 households with
    10 people of whom 9 have a number, everything else complete: (90 + 7 x 100) / 8 = 98.75.
    """
    parts = [Decimal(counts[name]) / max(counts[of], 1) for name, of in MEASURES.items()]
    if not counts["households"]:
        return Decimal("100.00")
    return (100 * sum(parts, Decimal(0)) / len(parts)).quantize(Decimal("0.01"), ROUND_HALF_UP)
