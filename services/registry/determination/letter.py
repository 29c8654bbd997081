"""The written refusal (不予认定决定书) as a page to print and hand over (R29, ZJ 51).

The applicant's name is plain for who may see names, else masked.
"""

from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import pages
from services.registry.determination import queries
from services.registry.determination.articles import REMEDY, articles, bureau_of
from services.registry.determination.delegable import TOWNSHIP
from services.registry.determination.process import ApplicationState
from services.registry.households import queries as households
from services.registry.households import sealed, views
from services.registry.means.explanation import NAMES
from shared import divisions
from shared.auth import Caller
from shared.contracts.registry import Category, RuleSet
from shared.errors import Conflict

_COUNTY = len("331124")
_templates = pages.templates(__file__)


async def refusal(session: AsyncSession, caller: Caller, application: RowMapping) -> str:
    """The letter of an application's newest decision.

    Raises Conflict (``not_refused``) where that is no refusal.
    """
    known = await queries.whole(session, application)
    decision = known.decisions[-1] if known.decisions else None
    if decision is None or decision["outcome"] != ApplicationState.REFUSED:
        raise Conflict("not_refused", "only a refused application has a letter of refusal")
    category, rule_set = Category(decision["category"]), RuleSet(decision["rule_set"])
    place = decision["decided_in"] or decision["division_code"]
    county = await divisions.find(session, place[:_COUNTY])
    return _templates.get_template("refusal.html").render(
        decision=decision,
        applied_on=application["applied_on"],
        applicant=await _applicant(session, caller, application),
        category=NAMES[category],
        articles=articles(rule_set, category),
        remedy=REMEDY,
        office=f"{county.name if county else ''}{bureau_of(category)[1]}",
        delegate=await _delegate(session, place) if decision["delegation_id"] else "",
        day=pages.day_zh,
    )


async def _delegate(session: AsyncSession, place: str) -> str:
    """The township that decided in the county's name."""
    township = await divisions.find(session, place[:TOWNSHIP])
    return township.name if township else ""


async def _applicant(session: AsyncSession, caller: Caller, application: RowMapping) -> str:
    person_id: UUID | None = application["applicant_person_id"]
    if person_id is None:
        found = await households.load_households(
            session, [application["household_id"]], divisions=caller.divisions
        )
        person_id = found[application["household_id"]].facts.head_person_id
    persons = await households.load_persons(session, [person_id], divisions=caller.divisions)
    await views.audit_persons(session, caller, "application.letter_read", persons.values())
    who = persons.get(person_id)
    return sealed.show_name(who.name, plain=caller.can(views.PLAIN)) if who else ""
