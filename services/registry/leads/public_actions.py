"""Leads that citizens send without sign-in (C22): limited a day, and answered with a number."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.refusals import refuse_if
from services.registry.leads import actions, rules
from services.registry.leads.rules import Report, Subject
from shared import clock, identity, public, public_uses, receipts
from shared.contracts.leads import LeadSource, LeadState
from shared.lead_words import STATUS, UNKNOWN

ORIGIN = "public"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many leads a day one address may send, and one phone be named in."""

    per_address: int
    per_phone: int


async def take(
    session: AsyncSession, subject: Subject, words: str, *, sender: str, limits: Limits
) -> str:
    """Take in what somebody tells; gives the receipt number, which is stored as its hash alone.

    ``session`` is a public one. Raises Refused listing every fault, or TooMany.
    """
    said = Report(source=LeadSource.WECHAT, reported_on=clock.today(), words=words, subject=subject)
    refuse_if(rules.report_faults(said, today=clock.today()))
    await public_uses.use(session, "leads.address", sender, most=limits.per_address)
    phone = identity.normalise_code(subject.phone or "")
    await public_uses.use(session, "leads.phone", phone, most=limits.per_phone)
    caller = await public.confine(session, subject.division_code)
    receipt = receipts.new()
    await actions.take_subject(
        session,
        subject,
        caller,
        source=said.source,
        reported_on=said.reported_on,
        words=words,
        reported_by=caller.sub,
        origin=ORIGIN,
        receipt=receipts.hash_of(receipt),
    )
    return receipt


async def status_of(session: AsyncSession, receipt: str, *, sender: str, most: int) -> str:
    """How far the lead of a receipt number has come, in words and nothing more (C22).

    A number that nobody holds is answered as well, so that asking for it counts: nobody tries
    numbers past ``most`` a day. Raises TooMany.
    """
    held = await public.receipt_asked(
        session, receipt, purpose="leads.status", sender=sender, most=most
    )
    if held is None:
        return UNKNOWN
    state = await session.scalar(select(func.lead_of_receipt(held)))
    return UNKNOWN if state is None else STATUS[LeadState(state)]
