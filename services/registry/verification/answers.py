"""What the sources answer, by source, and which answers are refused by name (section 4). Pure.

An answer about another person, with negative money or a date that has not come is never taken for
something found.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from services.registry.verification.sources import Source
from shared.contracts.registry import DisabilityKind, SchoolStage

MALFORMED = "answer_malformed"
_MOST_ROWS = 500


class WrongAnswerError(ValueError):
    """An answer that cannot be taken; ``code`` is stable and says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _not_negative(amount: Decimal) -> Decimal:
    if amount < 0:
        raise PydanticCustomError("answer_amount_negative", "money is not negative here")
    return amount


def _has_come(day: date, info: ValidationInfo) -> date:
    if day > info.context["today"]:  # type: ignore[index] # read_answer always gives it
        raise PydanticCustomError("answer_date_in_future", "this day has not come")
    return day


Amount = Annotated[Decimal, Field(max_digits=14, decimal_places=2), AfterValidator(_not_negative)]
Past = Annotated[date, AfterValidator(_has_come)]
Line = Annotated[str, Field(max_length=300)]


class Answer(BaseModel):
    """What one source found of one person."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Hukou(Answer):
    """The register: who stands in it, by ID number, and whether the person was struck off."""

    household_no: Line = ""
    address: Line = ""
    members: Annotated[tuple[Line, ...], Field(max_length=100)] = ()
    cancelled_on: Past | None = None


class Vehicle(Answer):
    """One vehicle; ``use`` and ``status`` in the registry's codes."""

    plate: Line
    brand: Line = ""
    registered_on: Past | None = None
    use: Line = ""
    status: Line


class Vehicles(Answer):
    """The vehicles of a person."""

    vehicles: Annotated[tuple[Vehicle, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class Property(Answer):
    """One piece of real estate; ``use`` is ``dwelling``, ``shop`` or another."""

    certificate_no: Line
    site: Line = ""
    area: Amount = Decimal(0)
    use: Line
    acquired_on: Past | None = None
    sold_on: Past | None = None


class Properties(Answer):
    """The real estate of a person, what was sold included."""

    properties: Annotated[tuple[Property, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class Business(Answer):
    """One market entity and the person's role in it."""

    uscc: Line
    name: Line = ""
    capital: Amount
    role: Line
    active: bool
    founded_on: Past | None = None


class Businesses(Answer):
    """The market entities of a person."""

    businesses: Annotated[tuple[Business, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class TaxPayment(Answer):
    """Income tax paid for some months, by their first days."""

    month_from: Past
    month_to: Past
    amount: Amount


class Taxes(Answer):
    """The income tax of a person."""

    payments: Annotated[tuple[TaxPayment, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class Contribution(Answer):
    """Social insurance or provident fund: the monthly base, and its months in the window."""

    unit: Line = ""
    base: Amount
    months: Annotated[int, Field(ge=0, le=36)]


class Contributions(Answer):
    """The contributions of a person within the income window."""

    contributions: Annotated[tuple[Contribution, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class Pension(Answer):
    """A pension or unemployment benefit a month."""

    kind: Line
    monthly: Amount
    months_left: Annotated[int, Field(ge=0)] | None = None


class Pensions(Answer):
    """The pensions and benefits of a person."""

    pensions: Annotated[tuple[Pension, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class Bank(Answer):
    """Whether deposits are over the limit: no amount is told."""

    over_limit: bool


class Holding(Answer):
    """A security account or a commercial policy and what it is worth."""

    custodian: Line = ""
    value: Amount


class Holdings(Answer):
    """Securities and policies of a person."""

    holdings: Annotated[tuple[Holding, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class Death(Answer):
    """A death mark."""

    died_on: Past
    cremated_on: Past | None = None
    cancelled: bool = False


class Marriage(Answer):
    """The last registration; ``type`` is ``married`` or ``divorced``."""

    type: Line
    spouse_id_number: Line = ""
    registered_on: Past | None = None


class Term(Answer):
    """Prison or compulsory detox; it may end in the future."""

    kind: Line
    from_on: Past
    to_on: date | None = None


class Terms(Answer):
    """The terms of a person."""

    terms: Annotated[tuple[Term, ...], Field(min_length=1, max_length=_MOST_ROWS)]


class DisabilityCard(Answer):
    """The disability card."""

    kind: DisabilityKind
    grade: Annotated[int, Field(ge=1, le=4)]


class Enrolment(Answer):
    """Where a person is enrolled."""

    school: Line = ""
    stage: SchoolStage


class Medical(Answer):
    """A year's medical costs; ``cash`` is what the person paid."""

    total: Amount
    pooled: Amount = Decimal(0)
    cash: Amount
    critical_paid: Amount = Decimal(0)


class LivingCosts(Answer):
    """A year's spending on utilities, travel and school fees."""

    utilities: Amount = Decimal(0)
    travel: Amount = Decimal(0)
    school_fees: Amount = Decimal(0)


SHAPES: Mapping[Source, type[Answer]] = {
    Source.HUKOU: Hukou,
    Source.VEHICLE: Vehicles,
    Source.REAL_ESTATE: Properties,
    Source.BUSINESS: Businesses,
    Source.TAX: Taxes,
    Source.SOCIAL_INSURANCE: Contributions,
    Source.PENSION: Pensions,
    Source.BANK: Bank,
    Source.SECURITIES: Holdings,
    Source.DEATH: Death,
    Source.MARRIAGE: Marriage,
    Source.JUSTICE: Terms,
    Source.DISABILITY: DisabilityCard,
    Source.ENROLMENT: Enrolment,
    Source.MEDICAL: Medical,
    Source.LIVING_COSTS: LivingCosts,
}
"""The shape of each source's answer."""


def read_answer(source: Source, data: Any, *, today: date) -> Answer:
    """A source's data, read and checked. Raises WrongAnswerError naming the first fault.

    Example: a vehicle registered tomorrow is ``answer_date_in_future``, tax of -0.01
    ``answer_amount_negative``, a missing plate ``answer_malformed``.
    """
    try:
        return SHAPES[source].model_validate(data, context={"today": today})
    except ValidationError as wrong:
        named = [each["type"] for each in wrong.errors() if each["type"].startswith("answer_")]
        raise WrongAnswerError(named[0] if named else MALFORMED) from None


def stored_answer(source: Source, data: Any) -> Answer:
    """An answer that was read before and stored, as what it was."""
    return SHAPES[source].model_validate(data, context={"today": date.max})
