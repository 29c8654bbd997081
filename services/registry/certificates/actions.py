"""Issuing certificates, taking them back, and counting their prints (R21).

The household is locked first: of two who issue at once the second is refused.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.certificates import queries, rules
from services.registry.certificates.models import Certificate
from services.registry.certificates.rules import Issue
from services.registry.households import actions as households
from services.registry.households.refusals import refuse_if
from shared import audit, clock, divisions, identity
from shared.auth import Caller
from shared.errors import Conflict, NotFound


async def issue(session: AsyncSession, caller: Caller, household_id: UUID, wish: Issue) -> UUID:
    """Issue a household's certificate in the place of the one that stands; gives its id.

    Raises NotFound, or Refused listing every fault.
    """
    file = await households.lock_one(session, caller, household_id)
    known = await queries.of_household(session, household_id, divisions=caller.divisions)
    standing = next((row for row in known if row["ended_on"] is None), None)
    facts = file.facts
    of_stay = standing if standing and standing["issued_on"] >= standing["identified_on"] else None
    refuse_if(
        rules.issue_faults(
            facts,
            wish,
            standing_since=of_stay["issued_on"] if of_stay else None,
            ended_on=max((row["ended_on"] for row in known if row["ended_on"]), default=None),
            officer_id=caller.officer_id,
            bureau=caller.bureau,
            whole_county=caller.covers(divisions.county_of(facts.division_code)),
            today=clock.today(),
        )
    )
    if standing is not None:
        ended = {"ended_on": wish.issued_on, "end_reason": rules.REPLACED}
        await _change(session, standing["certificate_id"], ended | {"ended_by": caller.officer_id})
    serial = len(known) + 1
    row = {
        "certificate_id": identity.new_id(),
        "household_id": household_id,
        "division_code": facts.division_code,
        "issued_in": facts.division_code,
        "number": f"{file.household_no}-{serial:02d}",
        "serial": serial,
        "category": facts.category,
        "ground": wish.ground,
        "issued_on": wish.issued_on,
        "issued_by": caller.officer_id,
        "print_count": 0,
        "end_reason": "",
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Certificate), [row])
    await _note(session, caller, row, "issued")
    return UUID(str(row["certificate_id"]))


async def withdraw(
    session: AsyncSession, caller: Caller, certificate_id: UUID, **given: Any
) -> None:
    """Note that a certificate was taken back: ``withdrawn_on``, and the ``reason``.

    Raises NotFound, Conflict (``certificate_ended``), or Refused listing every fault.
    """
    row = await _standing(session, caller, certificate_id)
    officer, today = caller.officer_id, clock.today()
    refuse_if(
        rules.withdrawal_faults(
            issued_on=row["issued_on"], **given, officer_id=officer, today=today
        )
    )
    ended = {"ended_on": given["withdrawn_on"], "end_reason": given["reason"].strip()}
    await _change(session, certificate_id, ended | {"ended_by": officer})
    await _note(session, caller, row, "withdrawn")


async def count_print(session: AsyncSession, caller: Caller, certificate_id: UUID) -> None:
    """Count a print of a certificate that holds.

    Raises NotFound, or Conflict (``certificate_ended``, ``certificate_outdated``).
    """
    row = await _standing(session, caller, certificate_id)
    if not queries.holds(row):
        raise Conflict("certificate_outdated", "the household is not what this certificate says")
    await _change(session, certificate_id, {"print_count": Certificate.print_count + 1})
    await _note(session, caller, row, "printed")


async def _standing(session: AsyncSession, caller: Caller, certificate_id: UUID) -> Any:
    """A certificate that has not ended, its household locked."""
    seen = await queries.one(session, certificate_id, divisions=caller.divisions)
    if seen is None:
        raise NotFound("certificate_not_found", "no such certificate in the caller's divisions")
    await households.lock_one(session, caller, seen["household_id"])
    row = await queries.one(session, certificate_id, divisions=caller.divisions)
    if row is None or row["ended_on"] is not None:
        raise Conflict("certificate_ended", "this certificate was replaced or taken back")
    return row


async def _change(session: AsyncSession, certificate_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(
        update(Certificate)
        .where(Certificate.certificate_id == certificate_id)
        .values(values | {"recorded_at": clock.now()})
    )


async def _note(session: AsyncSession, caller: Caller, row: Any, done: str) -> None:
    await audit.record(
        session,
        caller,
        action=f"certificate.{done}",
        subject_type="household",
        subject_id=row["household_id"],
        division_code=row["division_code"],
        detail={"certificate_id": str(row["certificate_id"]), "number": row["number"]},
    )
