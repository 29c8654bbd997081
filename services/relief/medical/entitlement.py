"""What a household was on a day, and the approved figures that held then (C14, C15; R20). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.contracts.registry import Category, FactPeriod, State


class NotAssisted(StrEnum):
    """Why nothing is owed for a day."""

    NOT_ASSISTED = "not_assisted"
    LIFTED = "lifted"
    EXITED = "exited"
    CLOSED = "closed"


_ENDED = {
    State.LIFTED: NotAssisted.LIFTED,
    State.EXITED: NotAssisted.EXITED,
    State.CLOSED: NotAssisted.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a household was on a day: its categories, or why it had none."""

    since: date | None
    categories: tuple[Category, ...] = ()
    without: NotAssisted | None = None
    kept_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One approved value of one key, from ``valid_from`` until the next."""

    parameter_id: UUID
    key: str
    value: Decimal
    valid_from: date
    document_number: str
    division_code: str
    sample: bool = False

    def as_json(self) -> dict[str, Any]:
        """The figure as it is kept with a decision; ``figure_from_json`` gives it back."""
        return {
            "parameter_id": str(self.parameter_id),
            "key": self.key,
            "value": str(self.value),
            "valid_from": self.valid_from.isoformat(),
            "document_number": self.document_number,
            "division_code": self.division_code,
            "sample": self.sample,
        }


Figures = Mapping[str, Sequence[Figure]]
"""The approved figures of one division by key, each key's in the order of ``valid_from``."""


def figure_from_json(kept: Mapping[str, Any]) -> Figure:
    """The figure that ``as_json`` wrote."""
    return Figure(
        parameter_id=UUID(kept["parameter_id"]),
        key=kept["key"],
        value=Decimal(kept["value"]),
        valid_from=date.fromisoformat(kept["valid_from"]),
        document_number=kept["document_number"],
        division_code=kept["division_code"],
        sample=kept["sample"],
    )


def figure_on(figures: Sequence[Figure], day: date) -> Figure | None:
    """The figure in force on a day; the first day counts.

    Example: values from 1 January and 1 July: 30 June has the first, 1 July the second.
    """
    begun = [figure for figure in figures if figure.valid_from <= day]
    return begun[-1] if begun else None


def standing_on(periods: Iterable[FactPeriod], tags_now: Sequence[Category], day: date) -> Standing:
    """What a household was on ``day``: the category counts on that very day (R20).

    The period that had begun by then holds, its first day included, and the tags beside its
    category count as well (section 5). ``tags_now`` stand in for the newest period of a publisher
    that sent no tags. Policy kept after lifting or exit goes on to its last day. Example: dibao
    from 10 March, lifted on 4 May: 9 March ``not_assisted``, 10 March and 3 May dibao, 4 May
    ``lifted``.
    """
    ordered = sorted(periods, key=lambda period: period.valid_from)
    begun = [period for period in ordered if period.valid_from <= day]
    if not begun:
        return Standing(since=None, without=NotAssisted.NOT_ASSISTED)
    period = begun[-1]
    kept = period.keep_policy_until if period.state in {State.LIFTED, State.EXITED} else None
    if not period.state.on_assistance and (kept is None or kept < day):
        without = _ENDED.get(period.state, NotAssisted.NOT_ASSISTED)
        return Standing(since=period.valid_from, without=without)
    tags = period.tags
    if tags is None:
        tags = tuple(tags_now) if period is ordered[-1] else ()
    held = {period.category, *tags}
    return Standing(
        since=period.valid_from,
        categories=tuple(each for each in Category if each in held),
        kept_until=kept,
    )
