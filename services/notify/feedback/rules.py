"""What came of a lead, step by step, in words for who told of it (C22). Pure."""

from dataclasses import dataclass
from datetime import date

from shared.contracts.leads import LeadState
from shared.lead_words import STATUS

RECEIVED = "收到您反映的情况"
VISITED = "工作人员已入户走访"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a lead has come for one sender, who told of it on ``received_on``."""

    state: LeadState
    received_on: date
    visited_on: date | None = None
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, on its day."""

    on: date
    words: str

    @property
    def sentence(self) -> str:
        """The step with its day in words. Example: ``2026年3月10日，收到您反映的情况``."""
        return f"{in_words(self.on)}，{self.words}"


def steps(progress: Progress) -> list[Step]:
    """All that happened, in its order; nothing before the sender himself told of it.

    Who reports what others had reported already, and officers had visited, hears of the visit on
    the day on which he told: that others told earlier is not for him. Example: told on the 10th,
    visited on the 12th, dismissed on the 20th: three steps with these days; told on the 15th: two
    of the 15th and one of the 20th.
    """
    told = progress.received_on
    found = [Step(told, RECEIVED)]
    if progress.visited_on is not None:
        found.append(Step(max(told, progress.visited_on), VISITED))
    if progress.decided_on is not None:
        found.append(Step(max(told, progress.decided_on), STATUS[progress.state]))
    return found


def message(progress: Progress) -> str:
    """The word to a sender in one piece: the steps, and what stands now where it is not over."""
    sentences = [step.sentence for step in steps(progress)]
    if progress.state.is_open:
        sentences.append(f"目前：{STATUS[progress.state]}")
    return "；".join(sentences) + "。"


def in_words(day: date) -> str:
    """A day as Chinese writes it. Example: 2026-03-10 is ``2026年3月10日``."""
    return f"{day.year}年{day.month}月{day.day}日"
