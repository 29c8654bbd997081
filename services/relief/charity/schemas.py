"""What charity's routes take and give; money in yuan with two places, as text in answers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.relief.asking import In, Short, View, Words
from services.relief.charity.rules import (
    AllocationState,
    ChangeGround,
    DeclaredRelation,
    DonationKind,
    DonorKind,
    Proof,
    Purpose,
    ValueBasis,
)
from shared.asked import Month

Yuan = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2, examples=["100.00"])]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]


class FederationIn(In):
    """The charity federation of a county or a city."""

    division: str = Field(pattern="^[0-9]{6}$", examples=["331124"])
    name: Short


class ManagerIn(In):
    """Who runs a federation; ``person_id`` where the registry knows them."""

    officer_id: Short
    person_id: UUID | None = None
    post: Short
    from_on: date


class ManagerEnd(In):
    """A manager's last day in office."""

    until_on: date


class DonorIn(In):
    """Who gives. ``name_public``: an organisation that agrees to be named."""

    kind: DonorKind
    name: Short
    contact: Short | None = None
    person_id: UUID | None = None
    name_public: bool = False


class EarmarkIn(In):
    """What a gift may be used for: a purpose, a household, both or nothing."""

    purpose: Purpose | None = None
    words: Words | None = None
    household_id: UUID | None = None


class GiftIn(In):
    """A donation to receipt; ``amount`` of goods is their fair value. No donor: anonymous.

    ``voucher_no``: the bank slip or hand-written slip that it came with, one receipt each.
    """

    kind: DonationKind
    amount: Yuan
    received_on: date
    donor_id: UUID | None = None
    voucher_no: Short | None = None
    item: Short | None = None
    quantity: Quantity | None = None
    unit: Short | None = None
    value_basis: ValueBasis | None = None
    earmark: EarmarkIn = EarmarkIn()
    public_fund: bool = False
    appeal_no: Short | None = None


class EarmarkChangeIn(In):
    """Another earmark and what allows it; ``document`` names the consent or the announcement."""

    earmark: EarmarkIn
    ground: ChangeGround
    document: Short
    announced_on: date | None = None


class LineIn(In):
    """How many yuan of one donation."""

    donation_id: UUID
    amount: Yuan


class AllocationIn(In):
    """Help for one household. ``declared_relation``: to the federation's managers, as you know it.

    ``uncategorised_reason`` where the household is in none of the five categories (C61).
    """

    household_id: UUID
    purpose: Purpose
    month: Month
    words: Words
    uncategorised_reason: Words | None = None
    declared_relation: DeclaredRelation
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=50)]


class DecisionIn(In):
    """Approve or refuse; a refusal says why."""

    approve: bool
    reason: Annotated[str, Field(max_length=500)] = ""


class CancelIn(In):
    """Why help that was not handed over is given up."""

    reason: Words


class HandOverIn(In):
    """Who received it on which day; the signed paper's or the photo's reference."""

    handed_over_on: date
    received_by: Short
    proof: Proof
    proof_reference: Short


class FederationView(View):
    """A federation; ``last_receipt`` is the newest receipt's number."""

    federation_id: UUID
    division_code: str
    name: str
    last_receipt: int


class ManagerView(View):
    """A manager; ``until_on`` is the last day in office."""

    manager_id: UUID
    officer_id: str
    person_id: UUID | None
    post: str
    from_on: date
    until_on: date | None


class DonorView(View):
    """A donor; name and contact masked without ``pii:read``."""

    donor_id: UUID
    federation_id: UUID
    division_code: str
    kind: DonorKind
    name: str | None
    contact: str | None
    person_id: UUID | None
    name_public: bool


class EarmarkView(View):
    """The earmark that holds."""

    purpose: Purpose | None
    words: str | None
    household_id: UUID | None


class FeedbackView(View):
    """What a donor was told."""

    text_zh: str
    told_on: date
    told_by: str


class DonationView(View):
    """A receipt and what is left of it. ``corrected_by`` counts in its place, where it was."""

    donation_id: UUID
    federation_id: UUID
    division_code: str
    receipt_no: int
    voucher_no: str | None
    donor_id: UUID | None
    kind: DonationKind
    amount: Decimal
    allocated: Decimal
    left: Decimal
    item: str | None
    quantity: Decimal | None
    unit: str | None
    value_basis: ValueBasis | None
    received_on: date
    earmark: EarmarkView
    public_fund: bool
    appeal_no: str | None
    corrects: UUID | None
    corrected_by: UUID | None
    recorded_by: str
    recorded_at: datetime


class DonationDetail(DonationView):
    """A receipt with what its donor was told."""

    feedback: list[FeedbackView]


class AllocationView(View):
    """Help for one household and how far it has come."""

    allocation_id: UUID
    federation_id: UUID
    fund: str
    household_id: UUID
    division_code: str
    purpose: Purpose
    month: Month
    amount: Decimal
    words: str | None
    uncategorised_reason: str | None
    declared_relation: DeclaredRelation
    state: AllocationState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_on: date | None
    reason: str | None
    cancelled_by: str | None
    handed_over_on: date | None
    handed_over_by: str | None
    received_by: str | None
    proof: Proof | None
    proof_reference: str | None
    version: int


class LineView(View):
    """What an allocation takes from one donation."""

    donation_id: UUID
    amount: Decimal


class AllocationDetail(AllocationView):
    """An allocation with its donations; none are shown where the federation is not covered.

    ``doubled``: other help is for the same purpose and month; who decides should know.
    """

    lines: list[LineView]
    doubled: bool


class BalanceView(View):
    """A period's books: ``opening + received == allocated + left``; the last day counts."""

    federation_id: UUID
    from_on: date
    to_on: date
    opening: Decimal
    received: Decimal
    allocated: Decimal
    handed_over: Decimal
    waiting: Decimal
    left: Decimal


class PublishedReceipt(View):
    """One receipt for the public: an organisation that agreed by name, everybody else 爱心人士."""

    receipt_no: int
    received_on: date
    donor: str
    kind: DonationKind
    item: str | None
    amount: Decimal
    purpose: Purpose | None


class AidView(View):
    """One measure; ``doubled``: another one is for the same purpose and month."""

    aid_id: UUID
    source: str
    programme: str
    purpose: str
    fund: str
    month: Month
    amount: Decimal
    status: str
    granted_on: date
    doubled: bool


class CardView(BaseModel):
    """A household's card (帮扶卡) of a year: what relief pays and charity gives, side by side."""

    household_id: UUID
    year: int
    total_yuan: Decimal
    items: list[AidView]
