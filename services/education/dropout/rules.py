"""Which step of dropout control is due, and what it takes to open and to close a case (C33, C39).

The Zhejiang rules on compulsory education (art. 13) have school and village report to the
township; the days are parameters. Every reason to close a case but an error needs its proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shared.errors import Fault


class Reporter(StrEnum):
    """Who found that a child is missing."""

    SCHOOL = "school"
    VILLAGE = "village"
    TOWNSHIP = "township"


class Kind(StrEnum):
    """How a child is missing: away from its class, never enrolled, gone from the school."""

    ABSENT = "absent"
    NOT_ENROLLED = "not_enrolled"
    LEFT = "left"


class Outcome(StrEnum):
    """How a case ended."""

    BACK_AT_SCHOOL = "back_at_school"
    ENROLLED_ELSEWHERE = "enrolled_elsewhere"
    ABROAD = "abroad"
    LONG_ILLNESS = "long_illness"
    SPECIAL_SCHOOL = "special_school"
    HOME_TEACHING = "home_teaching"
    DEAD = "dead"
    REPORTED_IN_ERROR = "reported_in_error"

    @property
    def needs_proof(self) -> bool:
        """Whether a paper must show it: all but an error (policy section 6)."""
        return self is not Outcome.REPORTED_IN_ERROR


class Step(StrEnum):
    """The steps of dropout control in their order."""

    CALL = "call"
    VISIT = "visit"
    TOWNSHIP = "township"
    COUNTY = "county"


STEP_KEYS: Mapping[Step, str] = {step: f"edu.dropout.{step.value}_days" for step in Step}
"""The parameter that says after how many days of absence a step is due."""


@dataclass(frozen=True, slots=True)
class DueStep:
    """The step that is due and the day since which it is."""

    step: Step
    since: date


def days_absent(absent_since: date, on: date) -> int:
    """Full days of absence in calendar days; the first day itself is day 0."""
    return (on - absent_since).days


def due_step(absent_since: date, on: date, days: Mapping[Step, int]) -> DueStep | None:
    """The last step whose days of absence are full on a day; None before the first.

    A step without an approved number of days is passed over. Example with 3, 7, 14, 30: absent
    since 2026-11-02 -> nothing on 11-04, ``call`` since 11-05 on 11-05, ``visit`` since 11-09.
    """
    reached = [
        DueStep(step, since)
        for step in Step
        if step in days and (since := absent_since + timedelta(days=days[step])) <= on
    ]
    return reached[-1] if reached else None


def opening_faults(absent_since: date, birth_date: date, today: date) -> list[Fault]:
    """What is wrong with the day from which a child is said to be missing.

    Example: on 2026-11-24, 2026-11-24 is right and 2026-11-25 is ``absent_since_in_future``.
    """
    if absent_since > today:
        text = f"the child cannot be missing from a day after today, {today}"
        return [Fault("#/absent_since", "absent_since_in_future", text)]
    if absent_since < birth_date:
        text = "the child was not born yet: check the day"
        return [Fault("#/absent_since", "absent_since_before_birth", text)]
    return []


def closing_faults(
    outcome: Outcome, proof: str | None, *, closed_on: date, absent_since: date, today: date
) -> list[Fault]:
    """All that is wrong with how a case is to be closed.

    Example: ``abroad`` without a proof, closed tomorrow -> ``proof_missing`` and
    ``closed_on_impossible``; ``reported_in_error`` needs no proof.
    """
    faults = []
    if outcome.needs_proof and proof is None:
        text = f"{outcome.value} needs its proof: give the paper's reference"
        faults.append(Fault("#/proof", "proof_missing", text))
    if not absent_since <= closed_on <= today:
        text = f"closed_on lies between {absent_since} and today, {today}"
        faults.append(Fault("#/closed_on", "closed_on_impossible", text))
    return faults
