"""When a finding of dishonesty stands, and who may enter, confirm and lift it. Pure.

Findings are false declaration, a check not supported, and fraud (R27; [ZJ 61], [SA 68]). A record
says what was found and refuses nobody: what follows is decided elsewhere, with its reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.registry.households.rules import day_faults, fault
from shared.errors import Fault


class RecordKind(StrEnum):
    """What was found."""

    FALSE_DECLARATION = "false_declaration"
    CHECK_NOT_SUPPORTED = "check_not_supported"
    FRAUD = "fraud"


KINDS_ZH: Mapping[RecordKind, str] = {
    RecordKind.FALSE_DECLARATION: "申报不实",
    RecordKind.CHECK_NOT_SUPPORTED: "未配合核对",
    RecordKind.FRAUD: "骗取救助",
}
"""What officers and citizens read."""


class Stage(StrEnum):
    """Where a record is in its life. LIFTING: it still stands, a colleague has yet to agree."""

    ENTERED = "entered"
    WITHDRAWN = "withdrawn"
    STANDING = "standing"
    LIFTING = "lifting"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding as an officer enters it; ``document`` is the number of the paper that says so."""

    kind: RecordKind
    found_on: date
    valid_until: date
    document: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Who has signed what of a record so far."""

    entered_by: str
    confirmed_by: str | None = None
    withdrawn_by: str | None = None
    lift_entered_by: str | None = None
    lifted_by: str | None = None

    @property
    def stage(self) -> Stage:
        """Where the record is by its signatures."""
        if self.withdrawn_by is not None:
            return Stage.WITHDRAWN
        if self.confirmed_by is None:
            return Stage.ENTERED
        if self.lifted_by is not None:
            return Stage.LIFTED
        return Stage.STANDING if self.lift_entered_by is None else Stage.LIFTING


def finding_faults(finding: Finding, *, today: date) -> list[Fault]:
    """All that speaks against a finding as entered. It holds at least a day, and not only before.

    Example: found on 2026-03-10 and valid until 2026-03-10 it would stand for no day.
    """
    faults = day_faults("found_on", finding.found_on, today=today)
    if finding.valid_until <= finding.found_on:
        faults.append(fault("valid_until", "validity_missing", "有效期须晚于认定日期"))
    elif finding.valid_until < today:
        faults.append(fault("valid_until", "validity_over", "有效期已过的认定不再登记"))
    if not finding.document.strip():
        faults.append(fault("document", "document_missing", "须注明认定文书的编号"))
    if not finding.words.strip():
        faults.append(fault("words", "words_missing", "须以文字写明查实的情况"))
    return faults


def lift_faults(document: str, reason: str) -> list[Fault]:
    """All that speaks against entering a lift: it rests on a paper and has a reason."""
    faults = []
    if not document.strip():
        faults.append(fault("document", "document_missing", "须注明解除文书的编号"))
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults


def stands(stage: Stage, *, found_on: date, valid_until: date, on: date) -> bool:
    """Whether a record counts on a day: confirmed, not lifted, within its validity.

    Example: found on 2026-03-10, valid until 2027-03-10: it stands on both days, and not on
    2027-03-11; while a lift waits for the second officer it stands.
    """
    return stage in {Stage.STANDING, Stage.LIFTING} and found_on <= on <= valid_until
