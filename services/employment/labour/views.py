"""What the API answers about labour: codes for machines, the same in Chinese for officers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.employment.jobs.views import PlacementView
from services.employment.labour.explanations import CASE_OUTCOMES, OUTCOMES, told
from services.employment.labour.rules import Outcome, Status


class ProfileView(BaseModel):
    """One person's labour profile; ``reasons`` are what the status rests on, told in Chinese too.

    ``since`` is the day on which the status last changed.
    """

    person_id: UUID
    household_id: UUID
    division_code: str
    able: bool
    willing: bool
    status: Status
    reasons: list[str]
    reasons_zh: list[str]
    since: date


class WholeProfileView(ProfileView):
    """A profile with the facts it was decided on and the person's placements, newest first."""

    facts: dict[str, Any]
    placements: list[PlacementView]


class SummaryView(BaseModel):
    """A division in figures; all but ``resting`` count profiles that somebody works on."""

    division: str | None
    profiles: int
    able: int
    willing: int
    employed: int
    unemployed: int
    resting: int
    zero_employment_open: int
    zero_employment_overdue: int


class CaseView(BaseModel):
    """One zero-employment case. ``person_ids`` are those who could have worked when it opened.

    ``offer_due_on`` is the last day for an offer; null while no limit is approved for the division,
    ``offer_due_provisional`` while the State Council calendar does not reach that far.
    """

    case_id: UUID
    household_id: UUID
    division_code: str
    opened_on: date
    offer_due_on: date | None
    offer_due_provisional: bool
    overdue: bool
    person_ids: list[UUID]
    closed_on: date | None
    outcome: str | None
    outcome_zh: str | None
    closing_evidence: str | None


class GuaranteeView(BaseModel):
    """The guarantee of employment (C8) as it was last stated to the registry."""

    met: bool
    evidence_id: str
    since: date


class HouseholdEmploymentView(BaseModel):
    """A household's work: what R30 makes of it and why, its profiles, its cases newest first.

    ``able``, ``willing`` and ``employed`` count members of working age who count into ``n``.
    """

    household_id: UUID
    division_code: str
    on_assistance: bool
    outcome: Outcome | None
    outcome_zh: str | None
    able: int
    willing: int
    employed: int
    guarantee: GuaranteeView | None
    profiles: list[ProfileView]
    open_case: CaseView | None
    cases: list[CaseView]


def profile_view(row: Mapping[Any, Any]) -> ProfileView:
    """A stored profile as it is answered."""
    return ProfileView(**_profile(row))


def whole_profile(
    row: Mapping[Any, Any], placements: Sequence[Mapping[Any, Any]]
) -> WholeProfileView:
    """A stored profile with its facts and placements."""
    return WholeProfileView(
        **_profile(row),
        facts=row["facts"],
        placements=[PlacementView.model_validate(each) for each in placements],
    )


def case_view(row: Mapping[Any, Any], today: date) -> CaseView:
    """A stored case as it stands ``today``."""
    due, outcome = row["offer_due_on"], row["outcome"]
    return CaseView(
        **{name: row[name] for name in CaseView.model_fields if name in row},
        overdue=row["closed_on"] is None and due is not None and due < today,
        outcome_zh=CASE_OUTCOMES[outcome] if outcome else None,
    )


def household_view(
    row: Mapping[Any, Any],
    profiles: Sequence[Mapping[Any, Any]],
    cases: Sequence[Mapping[Any, Any]],
    today: date,
) -> HouseholdEmploymentView:
    """A household with all that hangs on it."""
    told_cases = [case_view(case, today) for case in cases]
    known = ("household_id", "division_code", "on_assistance", "able", "willing", "employed")
    stated = row["met"] is not None
    return HouseholdEmploymentView(
        **{name: row[name] for name in known},
        outcome=row["outcome"],
        outcome_zh=OUTCOMES[Outcome(row["outcome"])] if row["outcome"] else None,
        guarantee=GuaranteeView(**{n: row[n] for n in GuaranteeView.model_fields})
        if stated
        else None,
        profiles=[profile_view(each) for each in profiles],
        open_case=next((case for case in told_cases if case.closed_on is None), None),
        cases=told_cases,
    )


def _profile(row: Mapping[Any, Any]) -> dict[str, Any]:
    stored = {name: row[name] for name in ProfileView.model_fields if name in row}
    return stored | {"reasons_zh": told(row["reasons"])}
