"""Founding federations, receipting donations, changing earmarks and telling donors (C54).

The federation is locked before anything of it changes: receipt numbers follow each other without
gaps, and two who take from the same gift take one after the other.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity import accounts, queries, rules, sealed
from services.relief.charity.models import (
    Donation,
    Donor,
    EarmarkChange,
    Federation,
    Feedback,
    Manager,
)
from services.relief.charity.rules import (
    ChangeGround,
    DonationKind,
    DonorKind,
    Earmark,
    Gift,
    Purpose,
)
from services.relief.faults import fault, refuse_if
from shared import audit, clock, identity
from shared.asked import prefix_of
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Forbidden, NotFound, Refused
from shared.money import ZERO


async def found_federation(
    session: AsyncSession, caller: Caller, *, division_code: str, name: str
) -> UUID:
    """Enter the federation of a county or city. Raises Forbidden or Conflict."""
    officer = officer_of(caller)
    need_whole(caller, division_code)
    if await queries.federation_of(session, division_code) is not None:
        raise Conflict("federation_exists", f"{division_code} has its charity federation already")
    federation_id = identity.new_id()
    row = {
        "federation_id": federation_id,
        "division_code": division_code,
        "name": name,
        "last_receipt": 0,
        "created_by": officer,
        "created_at": clock.now(),
    }
    await session.execute(insert(Federation), [row])
    await note(session, caller, row, "charity_federation.founded", federation_id)
    return federation_id


def need_whole(caller: Caller, division_code: str) -> None:
    """Refuse a token that does not cover all that a federation helps in.

    A token for ``331100`` alone would see the city's federation and none of the counties' help, so
    that its sums were wrong; one for ``3311`` sees all. Raises Forbidden.
    """
    inside = prefix_of(division_code)
    if not caller.covers(inside):
        raise Forbidden("division_not_covered", f"your token does not cover all of {inside}")


async def hold(session: AsyncSession, caller: Caller, federation_id: UUID) -> RowMapping:
    """One of the caller's federations, locked. Raises NotFound or Forbidden."""
    row = await queries.federation_by_id(session, federation_id, caller.divisions, lock=True)
    if row is None:
        raise NotFound("federation_unknown", f"no charity federation {federation_id}")
    need_whole(caller, row["division_code"])
    return row


async def add_manager(
    session: AsyncSession, caller: Caller, federation_id: UUID, **given: Any
) -> UUID:
    """Enter who runs a federation from ``from_on``. Raises NotFound or Conflict."""
    federation = await hold(session, caller, federation_id)
    manager_id = identity.new_id()
    row = _stamped(caller, federation) | given | {"manager_id": manager_id, "until_on": None}
    await session.execute(insert(Manager), [row])
    await note(session, caller, row, "charity_manager.entered", federation_id)
    return manager_id


async def end_manager(
    session: AsyncSession, caller: Caller, manager_id: UUID, until_on: date
) -> UUID:
    """Note a manager's last day in office; gives the federation. Raises NotFound, Refused."""
    officer_of(caller)
    seen = await queries.manager_by_id(session, manager_id, caller.divisions)
    if seen is None:
        raise NotFound("manager_unknown", f"no manager {manager_id}")
    await hold(session, caller, seen["federation_id"])
    row = await queries.manager_by_id(session, manager_id, caller.divisions)
    if row is None or row["until_on"] is not None:
        raise Conflict("manager_ended", "this manager's last day is known already")
    if until_on < row["from_on"]:
        refuse_if([fault("until_on", "before_start", f"离任日期不能早于{row['from_on']}")])
    ended = update(Manager).where(Manager.manager_id == manager_id).values(until_on=until_on)
    await session.execute(ended)
    await note(session, caller, row, "charity_manager.ended", row["federation_id"])
    return UUID(str(row["federation_id"]))


async def add_donor(
    session: AsyncSession,
    caller: Caller,
    federation_id: UUID,
    *,
    kind: DonorKind,
    name: str,
    contact: str | None,
    person_id: UUID | None,
    name_public: bool,
) -> UUID:
    """Enter who gives, name and contact encrypted. Raises NotFound or Refused."""
    federation = await hold(session, caller, federation_id)
    if kind is DonorKind.PERSON and name_public:
        refuse_if([fault("name_public", "people_are_not_named", "个人捐赠者的姓名不予公布")])
    donor_id = identity.new_id()
    row = _stamped(caller, federation) | {
        "donor_id": donor_id,
        "kind": kind,
        "name_encrypted": sealed.seal(name, sealed.NAME),
        "contact_encrypted": sealed.seal(contact, sealed.CONTACT),
        "person_id": person_id,
        "name_public": name_public,
    }
    await session.execute(insert(Donor), [row])
    await note(session, caller, row, "charity_donor.entered", donor_id)
    return donor_id


async def receive(session: AsyncSession, caller: Caller, federation_id: UUID, gift: Gift) -> UUID:
    """Receipt a gift under the federation's next number; gives its id.

    Raises NotFound, Conflict (``voucher_receipted``), or Refused listing every fault.
    """
    federation = await hold(session, caller, federation_id)
    return await _receipt(session, caller, federation, gift, corrects=None)


async def correct(session: AsyncSession, caller: Caller, donation_id: UUID, gift: Gift) -> UUID:
    """Put a new receipt in the place of a wrong one, from which nothing is allocated.

    The wrong one stays and counts for nothing. Raises NotFound, Conflict (``donation_corrected``,
    ``donation_allocated``, ``voucher_receipted``), or Refused listing every fault.
    """
    federation, row = await _hold_donation(session, caller, donation_id)
    if row["allocated"] > ZERO:
        raise Conflict(
            "donation_allocated",
            f"{row['allocated']} yuan of it are allocated: cancel those allocations first",
        )
    return await _receipt(session, caller, federation, gift, corrects=donation_id)


async def _receipt(
    session: AsyncSession,
    caller: Caller,
    federation: RowMapping,
    gift: Gift,
    *,
    corrects: UUID | None,
) -> UUID:
    donor = await _donor(session, caller, federation, gift.donor_id)
    people = await _earmarked_people(session, caller, federation, gift.earmark)
    person = donor["person_id"] if donor else None
    today = clock.today()
    refuse_if(rules.gift_faults(gift, household_people=people, donor_person=person, today=today))
    donation_id = identity.new_id()
    federation_id = federation["federation_id"]
    if corrects is not None:
        wrong = update(Donation).where(Donation.donation_id == corrects)
        await session.execute(wrong.values(corrected_by=donation_id))
    await _refuse_taken(session, federation_id, gift.voucher_no)
    number = federation["last_receipt"] + 1
    row = _stamped(caller, federation) | {
        "donation_id": donation_id,
        "receipt_no": number,
        "voucher_no": gift.voucher_no,
        "donor_id": gift.donor_id,
        "kind": gift.kind,
        "amount": gift.amount,
        "item": gift.item,
        "quantity": gift.quantity,
        "unit": gift.unit,
        "value_basis": gift.value_basis,
        "received_on": gift.received_on,
        **_earmark_columns(gift.earmark),
        "public_fund": gift.public_fund,
        "appeal_no": gift.appeal_no,
        "corrects": corrects,
        "allocated": ZERO,
    }
    counted = update(Federation).where(Federation.federation_id == federation_id)
    await session.execute(counted.values(last_receipt=number))
    await session.execute(insert(Donation), [row])
    done = "received" if corrects is None else "corrected"
    await note(session, caller, row, f"charity_donation.{done}", donation_id)
    return donation_id


async def change_earmark(
    session: AsyncSession,
    caller: Caller,
    donation_id: UUID,
    earmark: Earmark,
    *,
    ground: ChangeGround,
    document: str,
    announced_on: date | None,
) -> None:
    """Give a donation another earmark, on the donor's consent or after sixty days' announcement.

    ``document`` names the signed consent or the announcement. What was allocated already stays.
    Raises NotFound, Conflict (``donation_corrected``), or Refused listing every fault.
    """
    federation, row = await _hold_donation(session, caller, donation_id)
    donor = await _donor(session, caller, federation, row["donor_id"])
    people = await _earmarked_people(session, caller, federation, earmark)
    faults = rules.change_faults(
        earmark,
        ground=ground,
        announced_on=announced_on,
        donor_known=donor is not None,
        public_fund=row["public_fund"],
        today=clock.today(),
    )
    refuse_if(faults + rules.donor_faults(people, donor["person_id"] if donor else None))
    change = {
        "change_id": identity.new_id(),
        "donation_id": donation_id,
        "division_code": row["division_code"],
        **_earmark_columns(earmark),
        "ground": ground,
        "document": document,
        "announced_on": announced_on,
        "changed_on": clock.today(),
        "changed_by": officer_of(caller),
        "changed_at": clock.now(),
    }
    await session.execute(insert(EarmarkChange), [change])
    await note(session, caller, row, "charity_earmark.changed", donation_id, ground=ground.value)


async def tell_donor(session: AsyncSession, caller: Caller, donation_id: UUID) -> None:
    """Write what a donor is told today of what was handed over. Raises NotFound or Conflict."""
    _, row = await _hold_donation(session, caller, donation_id)
    used = [
        (Purpose(purpose), households, yuan)
        for purpose, households, yuan in await queries.use_of(session, donation_id)
    ]
    told_on = clock.today()
    feedback = {
        "feedback_id": identity.new_id(),
        "donation_id": donation_id,
        "division_code": row["division_code"],
        "text_zh": accounts.feedback_text(
            receipt_no=row["receipt_no"],
            kind=DonationKind(row["kind"]),
            amount=row["amount"],
            used=used,
            left=row["amount"] - rules.total_of([yuan for _, _, yuan in used]),
            today=told_on,
        ),
        "told_on": told_on,
        "told_by": officer_of(caller),
        "told_at": clock.now(),
    }
    await session.execute(insert(Feedback), [feedback])
    await note(session, caller, row, "charity_donor.told", donation_id)


async def _refuse_taken(session: AsyncSession, federation_id: UUID, voucher_no: str | None) -> None:
    if voucher_no is None:
        return
    standing = await queries.voucher_taken(session, federation_id, voucher_no)
    if standing is not None:
        raise Conflict("voucher_receipted", f"this voucher has receipt no. {standing} already")


async def _hold_donation(
    session: AsyncSession, caller: Caller, donation_id: UUID
) -> tuple[RowMapping, RowMapping]:
    """A donation that counts and its federation, both locked."""
    seen = (await queries.donations_by_id(session, [donation_id], caller.divisions)).get(
        donation_id
    )
    if seen is None:
        raise NotFound("donation_unknown", f"no donation {donation_id}")
    federation = await hold(session, caller, seen["federation_id"])
    held = await queries.donations_by_id(session, [donation_id], caller.divisions, lock=True)
    row = held[donation_id]
    if row["corrected_by"] is not None:
        raise Conflict("donation_corrected", "another receipt took its place: use that one")
    return federation, row


async def _donor(
    session: AsyncSession, caller: Caller, federation: RowMapping, donor_id: UUID | None
) -> RowMapping | None:
    """The donor of a gift, None of an anonymous one. Raises Refused for another federation's."""
    if donor_id is None:
        return None
    donor = await queries.donor_by_id(session, donor_id, caller.divisions)
    if donor is None or donor["federation_id"] != federation["federation_id"]:
        refuse_if([fault("donor_id", "donor_unknown", "本会没有登记该捐赠人")])
    return donor


async def _earmarked_people(
    session: AsyncSession, caller: Caller, federation: RowMapping, earmark: Earmark
) -> set[UUID]:
    """Who lives where a gift is earmarked to. Raises Refused for a household we do not help."""
    if earmark.household_id is None:
        return set()
    return people_of(
        await beneficiary(session, caller, federation, earmark.household_id, "earmark/household_id")
    )


async def beneficiary(
    session: AsyncSession,
    caller: Caller,
    federation: RowMapping,
    household_id: UUID,
    where: str = "household_id",
) -> dict[str, Any]:
    """A registered household inside the federation's division. Raises Refused for any other."""
    found = await queries.household(session, household_id, caller.divisions)
    inside = prefix_of(federation["division_code"])
    if found is None or not str(found["division_code"]).startswith(inside):
        message = "本会所在区域内没有该户的帮扶档案"
        raise Refused(
            "household_unknown",
            "help goes to households of the registry inside the federation's division (C61)",
            faults=[fault(where, "household_unknown", message)],
        )
    return found


def people_of(household: dict[str, Any]) -> set[UUID]:
    """Who lives in a household, counted or not."""
    return {member["person_id"] for member in household["members"]}


def _earmark_columns(earmark: Earmark) -> dict[str, Any]:
    return {
        "earmark_purpose": earmark.purpose,
        "earmark_words_encrypted": sealed.seal(earmark.words, sealed.WORDS),
        "earmark_household_id": earmark.household_id,
    }


def _stamped(caller: Caller, federation: RowMapping) -> dict[str, Any]:
    return {
        "federation_id": federation["federation_id"],
        "division_code": federation["division_code"],
        "recorded_by": officer_of(caller),
        "recorded_at": clock.now(),
    }


async def note(
    session: AsyncSession, caller: Caller, row: Any, action: str, subject: UUID, **detail: str
) -> None:
    """The audit line of something done in a federation's books."""
    await audit.record(
        session,
        caller,
        action=action,
        subject_type=action.split(".", 1)[0],
        subject_id=subject,
        division_code=row["division_code"],
        detail=detail or None,
    )
