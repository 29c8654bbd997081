"""Why an application was decided as it was, or how it stands today (PIPL 24, R16).

A decision is explained by what was kept with it, and reckoned again to show that it holds.
"""

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import findings, queries
from services.registry.determination.articles import articles
from services.registry.determination.schemas import ExplanationOut
from services.registry.households import queries as households
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import Category, RuleSet
from shared.errors import NotFound


async def explain(session: AsyncSession, caller: Caller, application: RowMapping) -> ExplanationOut:
    """The newest decision's reckoning, or today's before there is one.

    Raises NotFound (``finding_missing``) where a refusal was made without one.
    """
    known = await queries.whole(session, application)
    if application["ended_on"] is None or not known.decisions:
        return await _of_today(session, caller, known)
    decision = known.decisions[-1]
    kept = decision["finding"]
    if kept is None:
        raise NotFound("finding_missing", "this decision was made without a means test")
    law, category = RuleSet(decision["rule_set"]), Category(decision["category"])
    return ExplanationOut(
        decided=True,
        finding=kept["finding"],
        words=kept["words"],
        articles=list(articles(law, category)),
        recomputes=findings.made_again(kept) == kept["finding"],
    )


async def _of_today(session: AsyncSession, caller: Caller, known: queries.Whole) -> ExplanationOut:
    household_id, today = known.application["household_id"], clock.today()
    files = await households.load_households(session, [household_id], divisions=caller.divisions)
    reckoned = await findings.reckon(session, known, files[household_id].facts, today)
    category = Category(known.application["category"])
    return ExplanationOut(
        decided=False,
        finding=reckoned.stored()["finding"],
        words=reckoned.words,
        articles=list(articles(RuleSet.on(today), category)),
        recomputes=True,
    )
