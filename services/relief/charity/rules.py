"""What may be done with a donation, and who may be helped with it (C54). Pure.

慈善法 2016 art. 24 (appeals are filed), 40 (a donor names no relative), 58 (nor does a federation);
浙江省实施《慈善法》办法 (a changed earmark); C61 (help outside the categories carries a reason).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.relief.faults import fault
from shared.errors import Fault
from shared.money import ZERO

ANNOUNCED_DAYS = 60
"""Whole days that a changed earmark is announced for where the donor cannot be found (省办法)."""


class Purpose(StrEnum):
    """What help is for."""

    LIVING = "living"
    MEDICAL = "medical"
    EDUCATION = "education"
    HOUSING = "housing"
    DISASTER = "disaster"
    ELDERLY_CARE = "elderly_care"
    EMPLOYMENT = "employment"


PURPOSES_ZH = {
    Purpose.LIVING: "生活困难帮扶",
    Purpose.MEDICAL: "医疗帮扶",
    Purpose.EDUCATION: "助学",
    Purpose.HOUSING: "住房帮扶",
    Purpose.DISASTER: "救灾",
    Purpose.ELDERLY_CARE: "养老服务",
    Purpose.EMPLOYMENT: "就业帮扶",
}


class DonorKind(StrEnum):
    """Who gives under a name; who gives without one is no donor row at all."""

    PERSON = "person"
    ORGANISATION = "organisation"


class DonationKind(StrEnum):
    """What is given."""

    CASH = "cash"
    GOODS = "goods"


class ValueBasis(StrEnum):
    """What the fair value of goods rests on."""

    INVOICE = "invoice"
    MARKET = "market"
    APPRAISAL = "appraisal"


class ChangeGround(StrEnum):
    """What allows another earmark."""

    CONSENT = "consent"
    ANNOUNCEMENT = "announcement"


class DeclaredRelation(StrEnum):
    """How the proposer declares the household to be related to the federation's managers."""

    NONE = "none"
    FAMILY = "family"
    EMPLOYMENT = "employment"
    BUSINESS = "business"
    OTHER = "other"


class AllocationState(StrEnum):
    """How far an allocation has come; ``approved`` and ``handed_over`` hold their donations."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    HANDED_OVER = "handed_over"


class Proof(StrEnum):
    """What shows that help arrived."""

    SIGNATURE = "signature"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Earmark:
    """What a donation may be used for; all None: for anything the federation is for."""

    purpose: Purpose | None = None
    words: str | None = None
    household_id: UUID | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was asked."""
        return self.purpose is None and self.household_id is None and not (self.words or "").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A donation as an officer wants to receipt it; ``amount`` in yuan, of goods the fair value."""

    kind: DonationKind
    amount: Decimal
    received_on: date
    earmark: Earmark
    donor_id: UUID | None = None
    voucher_no: str | None = None
    item: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    value_basis: ValueBasis | None = None
    public_fund: bool = False
    appeal_no: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One donation as an allocation meets it; ``left`` in yuan."""

    left: Decimal
    earmark: Earmark
    corrected: bool
    same_federation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How many yuan of one donation an allocation is to take."""

    donation_id: UUID
    amount: Decimal


def first_day_of_change(announced_on: date) -> date:
    """The first day on which an announced change may be made: the 61st.

    The day of announcement does not count, then 60 whole days pass. Example: announced on
    2026-01-01, its 60 days end with 2026-03-02, and 2026-03-03 is the first day.
    """
    return announced_on + timedelta(days=ANNOUNCED_DAYS + 1)


def gift_faults(
    gift: Gift, *, household_people: Collection[UUID], donor_person: UUID | None, today: date
) -> list[Fault]:
    """All that speaks against a receipt. ``household_people``: who lives where it is earmarked to.

    Example: 20 quilts without what their value rests on: ``value_basis_missing``; money of a public
    appeal for one household: ``appeal_for_one_household``.
    """
    faults = []
    if gift.received_on > today:
        faults.append(fault("received_on", "date_in_future", "接收日期不能晚于今天"))
    faults += _goods_faults(gift)
    if gift.public_fund != bool(gift.appeal_no):
        message = "公开募捐须写明募捐方案备案编号,非公开募捐不写"
        faults.append(fault("appeal_no", "appeal_no_mismatch", message))
    if gift.public_fund and gift.earmark.household_id is not None:
        message = "公开募捐面向不特定对象,不能指定受益户"
        faults.append(fault("earmark/household_id", "appeal_for_one_household", message))
    faults += donor_faults(household_people, donor_person)
    return faults


def _goods_faults(gift: Gift) -> list[Fault]:
    named = {
        "item": gift.item,
        "quantity": gift.quantity,
        "unit": gift.unit,
        "value_basis": gift.value_basis,
    }
    if gift.kind is DonationKind.CASH:
        return [
            fault(name, "not_of_money", "现金捐赠不写物资项目")
            for name, value in named.items()
            if value is not None
        ]
    return [
        fault(name, f"{name}_missing", "捐赠物资须写明品名、数量、单位和公允价值依据")
        for name, value in named.items()
        if value is None
    ]


def donor_faults(household_people: Collection[UUID], donor_person: UUID | None) -> list[Fault]:
    """A donor does not earmark a gift for a household of their own (慈善法 2016 art. 40)."""
    if donor_person is None or donor_person not in household_people:
        return []
    message = "捐赠人不得指定利害关系人为受益人"
    return [fault("earmark/household_id", "donor_related", message)]


def change_faults(
    earmark: Earmark,
    *,
    ground: ChangeGround,
    announced_on: date | None,
    donor_known: bool,
    public_fund: bool,
    today: date,
) -> list[Fault]:
    """All that speaks against another earmark (浙江省实施《慈善法》办法).

    Example: announced on 2026-01-01: refused on 2026-03-02, its 60th day, allowed on 2026-03-03;
    consent for a gift that nobody gave a name to: ``donor_unknown``.
    """
    faults = []
    if public_fund and earmark.household_id is not None:
        message = "公开募捐面向不特定对象,不能指定受益户"
        faults.append(fault("earmark/household_id", "appeal_for_one_household", message))
    if ground is ChangeGround.CONSENT:
        if not donor_known:
            faults.append(fault("ground", "donor_unknown", "匿名捐赠无人可以同意,须公告六十日"))
        if announced_on is not None:
            faults.append(fault("announced_on", "not_announced", "经捐赠人同意的变更不写公告日期"))
        return faults
    if announced_on is None:
        return [*faults, fault("announced_on", "announced_on_missing", "须写明公告日期")]
    first = first_day_of_change(announced_on)
    if today < first:
        message = f"公告满六十日后方可变更,最早为{first}"
        faults.append(fault("announced_on", "announcement_running", message))
    return faults


def line_faults(
    lines: Sequence[Line],
    holdings: Mapping[UUID, Holding],
    *,
    purpose: Purpose,
    household_id: UUID,
) -> list[Fault]:
    """What speaks against taking these yuan from these donations for this household's need.

    Example: 100.00 left, 100.01 asked: ``balance_too_low``; a gift for ``education`` asked for
    ``medical``: ``earmark_purpose``.
    """
    faults: list[Fault] = []
    named: set[UUID] = set()
    for at, line in enumerate(lines):
        held = holdings.get(line.donation_id)
        where = f"lines/{at}"
        if line.donation_id in named:
            message = "同一笔捐赠只列一行"
            faults.append(fault(f"{where}/donation_id", "donation_twice", message))
            continue
        named.add(line.donation_id)
        if held is None or not held.same_federation:
            message = "本会没有这笔捐赠"
            faults.append(fault(f"{where}/donation_id", "donation_unknown", message))
            continue
        faults += _holding_faults(where, line.amount, held, purpose, household_id)
    return faults


def _holding_faults(
    where: str, amount: Decimal, held: Holding, purpose: Purpose, household_id: UUID
) -> list[Fault]:
    faults = []
    if held.corrected:
        faults.append(fault(f"{where}/donation_id", "donation_corrected", "该收据已被更正"))
    elif amount > held.left:
        message = f"该笔捐赠只余{held.left}元"
        faults.append(fault(f"{where}/amount", "balance_too_low", message))
    if held.earmark.purpose not in {None, purpose}:
        message = f"该笔捐赠指定用于{PURPOSES_ZH[Purpose(held.earmark.purpose)]}"
        faults.append(fault(f"{where}/donation_id", "earmark_purpose", message))
    if held.earmark.household_id not in {None, household_id}:
        faults.append(fault(f"{where}/donation_id", "earmark_household", "该笔捐赠指定了其他农户"))
    return faults


def beneficiary_faults(
    *,
    managers: Collection[UUID],
    people: Collection[UUID],
    declared: DeclaredRelation,
    categorised: bool,
    closed: bool,
    reason: str | None,
) -> list[Fault]:
    """What speaks against the household: a manager's family (art. 58), or no reason for it (C61).

    ``managers`` are those in office, as persons. Example: one of them is a member of the household:
    ``beneficiary_related``; a lifted household without a reason: ``reason_missing``.
    """
    faults = []
    if declared is not DeclaredRelation.NONE or set(managers) & set(people):
        message = "慈善组织管理人员的利害关系人不得作为受益人(慈善法第五十八条)"
        faults.append(fault("household_id", "beneficiary_related", message))
    if closed:
        faults.append(fault("household_id", "household_closed", "该户档案已注销"))
    if not categorised and not (reason or "").strip():
        message = "该户不属于在册五类对象,须写明帮扶理由"
        faults.append(fault("uncategorised_reason", "reason_missing", message))
    return faults


def decision_faults(*, approve: bool, reason: str, officer: str, proposed_by: str) -> list[Fault]:
    """Who proposes does not decide; a refusal says why. Example: o1 proposed, so o2 decides."""
    faults = []
    if officer == proposed_by:
        faults.append(fault("", "same_officer", "提出分配的人不能审批,请由另一人审批"))
    if not approve and not reason.strip():
        faults.append(fault("reason", "reason_missing", "不同意须写明理由"))
    return faults


def hand_over_faults(handed_over_on: date, *, decided_on: date, today: date) -> list[Fault]:
    """Help is handed over from the day of its decision on, and never on a day to come."""
    if decided_on <= handed_over_on <= today:
        return []
    message = f"交付日期须在{decided_on}至{today}之间"
    return [fault("handed_over_on", "handed_over_on_impossible", message)]


def total_of(amounts: Sequence[Decimal]) -> Decimal:
    """The sum of amounts in yuan, to the fen; of none 0.00."""
    return sum(amounts, ZERO)
