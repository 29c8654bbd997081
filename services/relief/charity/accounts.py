"""What a federation's books add up to, whom help reached twice, and what donors are told. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.relief.charity.rules import PURPOSES_ZH, DonationKind, DonorKind, Purpose
from services.relief.payments.rules import Programme

PURPOSE_OF = {Programme.DIBAO: Purpose.LIVING, Programme.TEKUN: Purpose.LIVING}
"""What each programme that relief pays is for, so that charity for the same is noticed."""
ANONYMOUS_ZH = "爱心人士"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A federation's period in yuan: ``opening + received == allocated + left``, to the fen.

    ``waiting`` is what was allocated up to the period's end and not yet handed over then.
    """

    opening: Decimal
    received: Decimal
    allocated: Decimal
    handed_over: Decimal
    waiting: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Sums in yuan up to a day, that day left out: of receipts, decisions and hand-overs."""

    received: Decimal
    allocated: Decimal
    handed_over: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Aid:
    """One measure for one household, whoever pays; ``amount`` in yuan, ``month`` it is for."""

    aid_id: UUID
    source: str
    programme: str
    purpose: str
    fund: str
    month: date
    amount: Decimal
    status: str
    granted_on: date


def balance(before: Flows, after: Flows) -> Balance:
    """The period between two states of the books.

    Example: before 100 received, 40 allocated; after 150 and 90, of which 60 handed over: opening
    60, received 50, allocated 50, left 60, waiting 30.
    """
    return Balance(
        opening=before.received - before.allocated,
        received=after.received - before.received,
        allocated=after.allocated - before.allocated,
        handed_over=after.handed_over - before.handed_over,
        waiting=after.allocated - after.handed_over,
        left=after.received - after.allocated,
    )


def doubled(aids: Sequence[Aid]) -> set[UUID]:
    """Which of a household's measures meet another one for the same purpose and month.

    A flag for an officer to look at, no refusal: charity may well add to dibao. Example: dibao and
    a gift for living, both for 2026-12: both are flagged; a gift for medicine is not.
    """
    met = Counter((aid.purpose, aid.month) for aid in aids)
    return {aid.aid_id for aid in aids if met[aid.purpose, aid.month] > 1}


def feedback_text(
    *,
    receipt_no: int,
    kind: DonationKind,
    amount: Decimal,
    used: Sequence[tuple[Purpose, int, Decimal]],
    left: Decimal,
    today: date,
) -> str:
    """What a donor is told, in Chinese, without a name: what for, how many households, how much.

    ``used`` are purpose, households and yuan handed over. Example: ``您捐赠的款项(收据第7号,
    100.00元)截至2026年12月5日已用于:助学2户80.00元。尚余20.00元。``
    """
    given = "款项" if kind is DonationKind.CASH else "物资"
    spent = "、".join(
        f"{PURPOSES_ZH[purpose]}{households}户{yuan}元" for purpose, households, yuan in used
    )
    return (
        f"您捐赠的{given}(收据第{receipt_no}号,{amount}元)"
        f"截至{today.year}年{today.month}月{today.day}日"
        f"{'已用于:' + spent if spent else '尚未交付使用'}。尚余{left}元。感谢您的善举。"
    )


def published_donor(kind: str | None, name: str | None, *, name_public: bool) -> str:
    """How a donor stands in the yearly publication: never a person's name.

    Example: an organisation that agreed: its name; one that did not, a person, nobody: 爱心人士.
    """
    named = kind == DonorKind.ORGANISATION and name_public and name
    return name if named and name is not None else ANONYMOUS_ZH
