"""The way of an application from its papers to a decision: its states, steps and papers (C4).

applied → accepted → verifying → opinion → on notice → identified or refused; an objection upheld
goes back to verifying, the applicant may withdraw until the decision (section 5). Pure values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from shared.contracts.registry import Category


class ApplicationState(StrEnum):
    """Where an application stands."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    VERIFYING = "verifying"
    OPINION = "opinion"
    ON_NOTICE = "on_notice"
    IDENTIFIED = "identified"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


DECIDED = frozenset({ApplicationState.IDENTIFIED, ApplicationState.REFUSED})
OPEN = frozenset(ApplicationState) - DECIDED - {ApplicationState.WITHDRAWN}


class Step(StrEnum):
    """What may be done with an application."""

    ADD_PAPERS = "add_papers"
    DECLARE = "declare"
    ACCEPT = "accept"
    SURVEY = "survey"
    SIGN_SURVEY = "sign_survey"
    APPRAISE = "appraise"
    GIVE_OPINION = "give_opinion"
    ANNOUNCE = "announce"
    VISIT = "visit"
    IDENTIFY = "identify"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    DELIVER = "deliver"
    CORRECT = "correct"


_S = ApplicationState
FROM: Mapping[Step, frozenset[ApplicationState]] = {
    Step.ADD_PAPERS: OPEN,
    Step.DECLARE: frozenset({_S.APPLIED, _S.ACCEPTED, _S.VERIFYING}),
    Step.ACCEPT: frozenset({_S.APPLIED}),
    Step.SURVEY: frozenset({_S.ACCEPTED, _S.VERIFYING}),
    Step.SIGN_SURVEY: frozenset({_S.VERIFYING}),
    Step.APPRAISE: frozenset({_S.VERIFYING}),
    Step.GIVE_OPINION: frozenset({_S.VERIFYING}),
    Step.ANNOUNCE: frozenset({_S.OPINION, _S.ON_NOTICE}),
    Step.VISIT: frozenset({_S.OPINION, _S.ON_NOTICE}),
    Step.IDENTIFY: frozenset({_S.ON_NOTICE}),
    Step.REFUSE: frozenset({_S.VERIFYING, _S.OPINION, _S.ON_NOTICE}),
    Step.WITHDRAW: OPEN,
    Step.DELIVER: frozenset({_S.REFUSED}),
    Step.CORRECT: DECIDED,
}
"""The states from which a step may be taken; every other jump is refused."""


class PaperKind(StrEnum):
    """The papers kept of a case (policy section 3, "Papers kept per case")."""

    APPLICATION = "application"
    COMMITMENT = "commitment"
    AUTHORIZATION = "authorization"
    IDENTITY_COPY = "identity_copy"
    DECLARATION = "declaration"
    RELATIVE_FILING = "relative_filing"
    PROOF = "proof"
    SURVEY_FORM = "survey_form"
    NEIGHBOR_VISIT = "neighbor_visit"
    APPRAISAL_MINUTES = "appraisal_minutes"
    NOTICE_PHOTO = "notice_photo"
    DELIVERY_PROOF = "delivery_proof"


class SurveyKind(StrEnum):
    """Whose visit a survey is."""

    TOWNSHIP = "township"
    COUNTY = "county"


class Delivery(StrEnum):
    """How a written decision reached the applicant."""

    HANDED_OVER = "handed_over"
    LEFT_AT_HOME = "left_at_home"
    POST = "post"
    PUBLIC_ANNOUNCEMENT = "public_announcement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as handed in. ``reference`` says where it is kept, ``attachment_id`` is its scan."""

    kind: PaperKind
    received_on: date
    reference: str
    person_id: UUID | None = None
    attachment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A paper that the case cannot do without; ``person_id`` says whose."""

    kind: PaperKind
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A visit to the household, as it is entered. ``neighbours_heard`` counts neighbour visits."""

    surveyed_on: date
    findings: str
    neighbours_heard: int = 0
    kind: SurveyKind = SurveyKind.TOWNSHIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """A democratic appraisal: of its ``participants`` so many were ``villagers`` (or their
    representatives), and so many spoke for the household.
    """

    held_on: date
    participants: int
    villagers: int
    in_favour: int
    minutes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The township's opinion. ``category`` may differ from the one applied for.

    ``missing_sources``: what the data check lacks and why the officer goes on without, by source;
    ``without_report``: why he goes on without any report.
    """

    given_on: date
    in_favour: bool
    words: str
    category: Category | None = None
    amount: Decimal | None = None
    missing_sources: Mapping[str, str] = field(default_factory=dict)
    without_report: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An opinion that was given, and by whom."""

    given_on: date
    in_favour: bool
    category: Category
    amount: Decimal | None
    officer_id: str
    without_report: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """A survey that was entered, and who signed it by now."""

    survey_id: UUID
    round: int
    kind: SurveyKind
    surveyed_on: date
    officers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An application with all that was done in it, as the rules look at it.

    ``opinion`` is the one of the running round, ``appraised_on`` the newest appraisal's day in it.
    ``staff_relative``: declared by the applicant, or somebody of the household is on the register;
    ``related_officers`` are the officers that the register names as their relatives.
    """

    application_id: UUID
    household_id: UUID
    state: ApplicationState
    category: Category
    round: int
    applied_on: date
    accepted_on: date | None = None
    staff_relative: bool = False
    related_officers: frozenset[str] = frozenset()
    sampled: bool | None = None
    surveys: tuple[Surveyed, ...] = ()
    appraised_on: date | None = None
    opinion: Given | None = None
    earlier_opinions: frozenset[str] = frozenset()

    def survey(self, kind: SurveyKind) -> Surveyed | None:
        """The newest visit of this kind in the running round."""
        own = [each for each in self.surveys if (each.kind, each.round) == (kind, self.round)]
        return own[-1] if own else None

    @property
    def needs_visit(self) -> bool:
        """Whether the county must visit before it decides: relatives always, others by lot."""
        return self.staff_relative or bool(self.sampled)

    @property
    def handled_by(self) -> frozenset[str]:
        """Everyone who surveyed, visited or gave an opinion in any round: none may decide."""
        surveyors = frozenset().union(*(each.officers for each in self.surveys))
        giver = {self.opinion.officer_id} if self.opinion else set()
        return surveyors | giver | self.earlier_opinions
