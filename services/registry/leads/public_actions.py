"""Leads that citizens send without sign-in (C22): limited a day, and answered with a number."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.refusals import problem_of
from services.registry.leads import actions, rules
from services.registry.leads.rules import Report, Subject
from shared import clock, identity, public, public_uses, receipts
from shared.contracts.leads import LeadSource

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
    faults = rules.report_faults(said, today=clock.today())
    if faults:
        raise problem_of(faults)
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
