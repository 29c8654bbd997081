"""The newest data-check report of a household, for whoever decides on one (C20). Pure."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.registry.verification.sources import Conclusion, Outcome, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtState:
    """One doubt of a verification; ``outcome`` is None while it is open."""

    doubt_id: UUID
    subject_id: UUID
    source: Source
    kind: str
    outcome: Outcome | None
    due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestReport:
    """The newest report of a household, with its doubts and missing sources as they stand now.

    ``conclusion`` is what the report said when it was made. ``stopped``: a death mark ended the
    verification. Valid on ``made_on`` up to and with ``valid_until``.
    """

    report_id: UUID
    report_number: str
    verification_id: UUID
    aid_type: str
    made_on: date
    valid_until: date
    conclusion: Conclusion
    doubts: tuple[DoubtState, ...]
    missing_sources: tuple[Source, ...]
    stopped: bool

    @property
    def open_doubts(self) -> tuple[DoubtState, ...]:
        """Those that nobody has settled yet."""
        return tuple(doubt for doubt in self.doubts if doubt.outcome is None)
