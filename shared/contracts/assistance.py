"""What relief, housing, education and employment publish on their ``<service>.assistance`` topics.

Measures granted, guarantees met or not, hardship noticed: the registry's aid ledger and the guards
of its life cycle are made of these. The key is the household id.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Payload


class AssistanceEvent(StrEnum):
    """The types on the four assistance topics."""

    ASSISTED = "bangfu.household.assisted.v1"
    GUARANTEE_CHANGED = "bangfu.guarantee.changed.v1"
    HARDSHIP_DETECTED = "bangfu.hardship.detected.v1"


class AssistanceStatus(StrEnum):
    """How far one measure has come."""

    APPROVED = "approved"
    PAID = "paid"
    REVERSED = "reversed"


class GuaranteeKind(StrEnum):
    """The guarantees of C8; living stands for food and clothing."""

    LIVING = "living"
    HOUSING = "housing"
    MEDICAL = "medical"
    EDUCATION = "education"
    EMPLOYMENT = "employment"


class HardshipKind(StrEnum):
    """The signs that services send today; a reader must bear one that it does not know."""

    DANGEROUS_HOUSE = "dangerous_house"
    DROPOUT = "dropout"
    MEDICAL_EXPENSE = "medical_expense"


class Assistance(Payload):
    """One measure for one household: one dibao payment of one month, a term's aid.

    ``amount`` in yuan, negative where a later decision takes back part of an earlier measure;
    ``month`` is the first day of the month it is for, where it has one.
    """

    TOPIC_KEY: ClassVar[str] = "household_id"

    assistance_id: UUID
    household_id: UUID
    person_ids: tuple[UUID, ...] = ()
    programme: str
    status: AssistanceStatus
    amount: Decimal
    fund: str
    month: date | None = None
    granted_on: date


class Guarantee(Payload):
    """Whether one guarantee is met for one household. ``guarantee_id`` is the aggregate."""

    TOPIC_KEY: ClassVar[str] = "household_id"

    guarantee_id: UUID
    household_id: UUID
    kind: GuaranteeKind
    met: bool
    evidence_id: str
    since: date


class Hardship(Payload):
    """A sign that a household may fall into or back into poverty, by code, without free text.

    ``kind`` is a HardshipKind or one of a later writer's.
    """

    TOPIC_KEY: ClassVar[str] = "household_id"

    hardship_id: UUID
    household_id: UUID
    kind: str
    detected_on: date
    amount: Decimal | None = None
