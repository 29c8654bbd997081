"""Lines of a partner's daily settlement file: read, and what is wrong with one by itself. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.relief.medical.rules import Bill
from shared.errors import Fault

MOST_LINES = 5_000
"""A county's day is some two hundred; one request is one transaction of a second or two."""
MOST_BYTES = 4_000_000

Yuan = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
Number = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._/-]{1,64}$")
]


class LineIn(BaseModel):
    """One hospital settlement as the insurer closed it; amounts in yuan with at most two places."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settlement_no: Number
    person_id: UUID
    discharged_on: Annotated[date, Field(strict=True)]
    cost: Yuan
    off_list: Yuan
    basic_paid: Yuan
    critical_paid: Yuan
    other_paid: Yuan

    @property
    def bill(self) -> Bill:
        """Its sums."""
        return Bill(
            cost=self.cost,
            off_list=self.off_list,
            basic_paid=self.basic_paid,
            critical_paid=self.critical_paid,
            other_paid=self.other_paid,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A line as it was read, counted from 1; ``line`` is None where it is not of the form."""

    at: int
    line: LineIn | None
    settlement_no: str | None = None
    faults: tuple[Fault, ...] = ()


def read_line(at: int, raw: bytes, *, today: date) -> Read:
    """One line of the body, with every fault that it has by itself.

    Example: on 2026-05-05, three decimals, a negative sum, pay-outs above the cost or a discharge
    on 2026-05-06 refuse the line.
    """
    try:
        line = LineIn.model_validate_json(raw)
    except ValidationError as wrong:
        return Read(at=at, line=None, faults=tuple(_fault(each) for each in wrong.errors()))
    return Read(
        at=at, line=line, settlement_no=line.settlement_no, faults=tuple(_faults(line, today))
    )


def earliest(today: date) -> date:
    """The first discharge day that is still taken and decided anew: last year's first."""
    return date(today.year - 1, 1, 1)


def _faults(line: LineIn, today: date) -> list[Fault]:
    bill = line.bill
    found = []
    if bill.paid_by_others > bill.cost:
        found.append(_named("basic_paid", "payouts_above_cost", "各项报销之和超过总费用"))
    if bill.off_list > bill.cost:
        found.append(_named("off_list", "off_list_above_cost", "目录外费用超过总费用"))
    if line.discharged_on > today:
        found.append(_named("discharged_on", "discharge_to_come", "出院日期晚于今天"))
    if line.discharged_on < earliest(today):
        text = f"出院日期早于{earliest(today).isoformat()},已不受理,请人工处理"
        found.append(_named("discharged_on", "discharge_too_old", text))
    return found


def _named(where: str, code: str, message: str) -> Fault:
    return Fault(f"#/{where}", code, message)


def _fault(error: object) -> Fault:
    """What pydantic found, without quoting what was sent."""
    found: dict[str, object] = dict(error)  # type: ignore[call-overload] # pydantic's ErrorDetails
    parts = found["loc"]
    where = "/".join(str(part) for part in parts) if isinstance(parts, tuple) else ""
    return Fault(f"#/{where}" if where else "#", "line_invalid", str(found["msg"]))
