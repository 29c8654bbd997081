"""How an application is shown whole: words opened, the decision told to the end."""

from collections.abc import Mapping
from typing import Any

from services.relief.temporary import sealed
from services.relief.temporary.explanations import whole_text
from services.relief.temporary.queries import Whole
from services.relief.temporary.schemas import (
    DecisionView,
    NoticeView,
    ReferralView,
    StageView,
    StepView,
    WholeView,
)

Row = Mapping[Any, Any]


def shown(whole: Whole) -> WholeView:
    """An application with all that belongs to it."""
    return WholeView.model_validate(
        {
            **whole.application,
            "words": sealed.show(whole.application["words_encrypted"]),
            "steps": [StepView.model_validate(_opened(row)) for row in whole.steps],
            "notices": [NoticeView.model_validate(dict(row)) for row in whole.notices],
            "decision": _decision(whole.decision),
            "stages": [StageView.model_validate(_opened(row)) for row in whole.stages],
            "referrals": [_referral(row) for row in whole.referrals],
        }
    )


def _opened(row: Row) -> dict[Any, Any]:
    return {**row, "words": sealed.show(row["words_encrypted"])}


def _referral(row: Row) -> ReferralView:
    ended = {"outcome_words": sealed.show(row["outcome_words_encrypted"])}
    return ReferralView.model_validate(_opened(row) | ended)


def _decision(row: Row | None) -> DecisionView | None:
    if row is None:
        return None
    reason = sealed.show(row["reason_encrypted"])
    text = whole_text(row["explanation"], outcome=row["outcome"], reason=reason)
    return DecisionView.model_validate({**row, "reason": reason, "text": text})
