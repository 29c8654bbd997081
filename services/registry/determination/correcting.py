"""Correcting a decision that was wrong: the old one is kept and the new one names it (section 5).

A refusal found wrong takes the case up again, with a new survey, opinion and notice. Of a decision
in favour the category or the amount is put right from its own day on; a household that should not
have been identified at all leaves by the life cycle's exit, with its notice.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import models, queries, reopening, rules, steps
from services.registry.determination.deciding import decider_of, decision_row, reckon
from services.registry.determination.process import ApplicationState, Step
from services.registry.determination.steps import Opened
from services.registry.households import actions as households
from services.registry.households.facts import HouseholdChange
from services.registry.households.refusals import refuse_if, require_done
from services.registry.tasks.models import TaskKind
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import Category
from shared.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was wrong, and what holds instead; a refusal takes neither category nor amount."""

    decided_on: date
    error_found: str
    reason: str
    category: Category | None = None
    amount: Decimal | None = None


async def correct(
    session: AsyncSession,
    caller: Caller,
    application_id: UUID,
    revision: int,
    correction: Correction,
) -> UUID:
    """Correct an application's newest decision; gives the id of the one that replaces it.

    Raises NotFound, Conflict (``application_open``), or Refused listing every fault.
    """
    opened = await steps.begin(session, caller, application_id, Step.CORRECT, revision)
    last = opened.whole.decisions[-1]
    category = correction.category or Category(last["category"])
    faults = rules.decision_faults(
        opened.case,
        decider_of(caller, opened),
        category,
        correction.decided_on,
        clock.today(),
    )
    faults += rules.correction_faults(
        opened.case,
        correction.error_found,
        correction.reason,
        says_what=correction.category is not None or correction.amount is not None,
        household=opened.file.facts.state,
        corrected_on=correction.decided_on,
        decided_on=last["decided_on"],
    )
    refuse_if(faults)
    refused = opened.case.state is ApplicationState.REFUSED
    row = decision_row(caller, opened, correction.decided_on) | {
        "outcome": ApplicationState.VERIFYING if refused else ApplicationState.IDENTIFIED,
        "category": category,
        "amount": last["amount"] if correction.amount is None else correction.amount,
        "reason": correction.reason,
        "failed_tests": [],
        "finding": await _finding(session, opened, refused=refused),
        "report_id": last["report_id"],
        "error_found": correction.error_found,
    }
    await session.execute(insert(models.ApplicationDecision), [row])
    if refused:
        await _take_up_again(session, caller, opened, correction.decided_on)
    else:
        await _put_right(session, caller, opened, category, correction.reason)
    return UUID(str(row["decision_id"]))


async def _finding(
    session: AsyncSession, opened: Opened, *, refused: bool
) -> dict[str, Any] | None:
    """The means test of the day of the decision that is put right, with what is known by now."""
    if refused:
        return None
    return (await reckon(session, opened, opened.whole.decisions[-1]["decided_on"])).stored()


async def _take_up_again(session: AsyncSession, caller: Caller, opened: Opened, day: date) -> None:
    household_id = opened.case.household_id
    if await queries.open_of(session, household_id, divisions=caller.divisions):
        raise Conflict("application_open", "this household has applied again: decide on that one")
    row = await steps.move(session, caller, opened, Step.CORRECT, {})
    await steps.close_tasks(session, opened.case.application_id, [TaskKind.DELIVERY])
    await reopening.reopen(session, row, day)


async def _put_right(
    session: AsyncSession, caller: Caller, opened: Opened, category: Category, reason: str
) -> None:
    last: Any = opened.whole.decisions[-1]
    if category != last["category"]:
        change = HouseholdChange(
            household_id=opened.case.household_id,
            valid_from=last["decided_on"],
            facts={"category": category},
            reason=reason,
        )
        (outcome,) = await households.revise_households(session, caller, [change])
        require_done(outcome)
    await steps.move(session, caller, opened, Step.CORRECT, {})
