"""A certificate as a Chinese page to print: who stands in it, and what it gives a right to."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import pages
from services.registry.certificates.rules import NAMES
from services.registry.households import queries as households
from services.registry.households import sealed, views
from services.registry.verification.words import RELATIONS
from shared import divisions
from shared.auth import Caller
from shared.contracts.registry import Category

_templates = pages.templates(__file__)


async def printed(session: AsyncSession, caller: Caller, row: Mapping[str, Any]) -> str:
    """The page of a certificate; names and numbers as they are for who may see them, else masked.

    Every person on it is noted as looked at.
    """
    plain, household_id = caller.can(views.PLAIN), row["household_id"]
    found = await households.load_households(session, [household_id], divisions=caller.divisions)
    members = found[household_id].facts.members
    ids = [each.person_id for each in members]
    persons = await households.load_persons(session, ids, divisions=caller.divisions)
    await views.audit_persons(session, caller, "certificate.printed", persons.values())
    village = await divisions.find(session, row["division_code"])
    county = await divisions.find(session, divisions.county_of(row["issued_in"]))
    people = [
        {
            "name": sealed.show_name(who.name, plain=plain),
            "relation": RELATIONS[each.relation],
            "id_number": sealed.show_id_number(who.id_number_encrypted, plain=plain) or "",
            "head": each.person_id == found[household_id].facts.head_person_id,
        }
        for each in members
        if (who := persons.get(each.person_id))
    ]
    return _templates.get_template("certificate.html").render(
        title=NAMES[Category(row["category"])],
        number=row["number"],
        village=village.name if village else row["division_code"],
        people=people,
        n=found[household_id].facts.n,
        issued_on=pages.day_zh(row["issued_on"]),
        office=f"{county.name if county else ''}民政局",
        prints=row["print_count"],
    )
