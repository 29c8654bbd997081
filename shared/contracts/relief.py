"""What relief publishes on ``relief.standards``: the money standards other services reckon with."""

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Payload

SOURCE = "/relief"
STANDARD_CHANGED = "bangfu.standard.changed.v1"

PUBLISHED_STANDARDS = ("dibao_line", "minimum_wage", "disposable_income_ref")
"""The parameter keys of relief that leave it as standards."""


class Standard(Payload):
    """One value of one standard from ``valid_from`` until the next of its key and division.

    ``value`` in yuan (a month for dibao_line and minimum_wage, a year for disposable_income_ref).
    """

    TOPIC_KEY: ClassVar[str] = "division_code"

    standard_id: UUID
    key: str
    division_code: str
    valid_from: date
    value: Decimal
    document_number: str
    sample: bool = False
