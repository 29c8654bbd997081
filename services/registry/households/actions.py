"""The only writers of households and persons, one by one and by the hundred.

Every write goes through ``admit_households``, ``open_household`` or ``revise_households``:
set-based, a few statements for a whole chunk (hand in 200–500 at a time), all-or-nothing per
household. They run in the caller's transaction, lock in a fixed order and commit nothing.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import admission, persons, places, records, rules, sealed
from services.registry.households.admission import Identified
from services.registry.households.facts import HouseholdEntry, Outcome, Result
from services.registry.households.persons import Claim
from services.registry.households.records import (
    File,
    Revision,
    Ruling,
    lock,
    lock_one,
    parameter_used,
)
from services.registry.households.revising import revise_households
from services.registry.households.writing import Written, write
from shared import audit, clock, identity
from shared.auth import Caller
from shared.contracts.registry import HouseholdEvent
from shared.errors import Fault

__all__ = [
    "File",
    "Revision",
    "Ruling",
    "Written",
    "admit_households",
    "lock",
    "lock_one",
    "open_household",
    "parameter_used",
    "revise_households",
    "write",
]


async def admit_households(
    session: AsyncSession,
    caller: Caller,
    entries: Sequence[HouseholdEntry],
    *,
    origin: str,
    decided_on: date,
) -> list[Outcome]:
    """Open and identify households in one go (opening load): identified, version 1, published.

    One outcome an entry, in order: ADMITTED, or REFUSED with every fault (codes such as
    ``id_number_checksum``, ``person_registered_elsewhere`` naming the county only,
    ``person_in_other_household``, ``category_missing``, ``head_missing``, ``amount_negative``,
    ``division_not_yours``). Refused entries write nothing but transfer tasks; the others are
    admitted. ``origin`` goes into the episode (``roster``); ``decided_on`` is the date of
    identification and decides the rule set. Of two entries that hold the same person the later one
    is refused.
    """
    way = _Way(origin=origin, on=decided_on, identified=True)
    outcomes = await _admit(session, caller, entries, way)
    await _audit(session, caller, "household.admitted", entries, outcomes)
    return outcomes


async def open_household(
    session: AsyncSession, caller: Caller, entry: HouseholdEntry, *, origin: str, opened_on: date
) -> Outcome:
    """Open one file: state accepted, nothing published before it is identified (C6, C18)."""
    way = _Way(origin=origin, on=opened_on, identified=False)
    outcomes = await _admit(session, caller, [entry], way)
    await _audit(session, caller, "household.opened", [entry], outcomes)
    return outcomes[0]


class _Way:
    """How a set of households comes in."""

    def __init__(self, *, origin: str, on: date, identified: bool) -> None:
        self.origin = origin
        self.on = on
        self.identified = identified
        self.day_is = "decided_on" if identified else "opened_on"


class _Applicant:
    """An entry on its way: who its people are and what is wrong so far."""

    def __init__(self, entry: HouseholdEntry, claim: Claim, faults: list[Fault]) -> None:
        self.entry = entry
        self.claim = claim
        self.faults = faults


async def _admit(
    session: AsyncSession,
    caller: Caller,
    entries: Sequence[HouseholdEntry],
    way: _Way,
) -> list[Outcome]:
    villages = await places.villages(session, [entry.division_code for entry in entries])
    applicants = [_applicant(caller, entry, way, villages) for entry in entries]
    ready = [each for each in applicants if not each.faults]
    await persons.claim(session, caller, [each.claim for each in ready])
    accepted = [each for each in ready if not each.claim.faults]
    serials = await records.serials(session, [each.entry.division_code for each in accepted])
    revisions = [
        _revision(caller, each, serial, way) for each, serial in zip(accepted, serials, strict=True)
    ]
    written = iter(await write(session, caller, revisions))
    admitted = {id(each): next(written) for each in accepted}
    return [_outcome(each, admitted.get(id(each))) for each in applicants]


def _applicant(caller: Caller, entry: HouseholdEntry, way: _Way, villages: set[str]) -> _Applicant:
    faults = admission.entry_faults(entry, identified=way.identified, on=way.on)
    faults += rules.day_faults(way.day_is, way.on, today=clock.today())
    if way.identified:
        faults += rules.officer_faults(caller.officer_id)
    faults += places.faults(caller, entry.division_code, villages)
    known: list[Identified] = []
    for at, member in enumerate(entry.members):
        found, wrong = admission.identify_member(member, on=way.on, where=f"members/{at}")
        faults += wrong
        if found:
            known.append(found)
    return _Applicant(
        entry, Claim(wanted=known, division_code=entry.division_code, on=way.on), faults
    )


def _revision(caller: Caller, applicant: _Applicant, serial: int, way: _Way) -> Revision:
    entry, claim = applicant.entry, applicant.claim
    pairs = zip(claim.person_ids, claim.wanted, strict=True)
    facts = admission.opened(
        entry, [admission.member_facts(person_id, who) for person_id, who in pairs]
    )
    ruling = None
    if way.identified:
        facts = rules.identified(facts, on=way.on, origin=way.origin)
        ruling = Ruling(kind="identify", decided_on=way.on, officer_id=caller.officer_id or "")
    return Revision(
        file=File(
            household_id=identity.new_id(),
            household_no=rules.household_no(entry.division_code, serial),
            origin=way.origin,
        ),
        timeline=rules.beginning(way.on, facts),
        effective_from=way.on,
        day=way.on,
        type=HouseholdEvent.IDENTIFIED,
        contact=sealed.contact_columns(entry.phone, entry.account),
        ruling=ruling,
        missing_evidence=entry.missing_evidence,
    )


def _outcome(applicant: _Applicant, written: Written | None) -> Outcome:
    if written is None:
        return Outcome(
            ref=applicant.entry.ref,
            result=Result.REFUSED,
            faults=(*applicant.faults, *applicant.claim.faults),
            elsewhere=tuple(applicant.claim.elsewhere),
        )
    return Outcome(
        ref=applicant.entry.ref,
        result=Result.ADMITTED,
        household_id=written.revised.file.household_id,
        version=written.version,
        revision=written.revision,
        person_ids=applicant.claim.person_ids,
    )


async def _audit(
    session: AsyncSession,
    caller: Caller,
    action: str,
    entries: Sequence[HouseholdEntry],
    outcomes: Sequence[Outcome],
) -> None:
    """One line for every household that came in, in its own village."""
    done = [
        (each.household_id, entry.division_code)
        for entry, each in zip(entries, outcomes, strict=True)
        if each.household_id
    ]
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=[household_id for household_id, _ in done],
        division_code=[division_code for _, division_code in done],
    )
