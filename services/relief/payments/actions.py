"""Opening a payment run, paying it and confirming it, a chunk a transaction (C13, R13).

Nobody is paid twice: a household is settled and locked while it is looked at, and the unique keys
of payments and beneficiaries stand behind that, between runs, workers and counties.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, insert, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_renew
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments import bank_queries, queries
from services.relief.payments.confirming import refuse_confirmation, refuse_unless_over
from services.relief.payments.models import (
    Payment,
    PaymentBeneficiary,
    PaymentException,
    PaymentRun,
)
from services.relief.payments.programmes import SOURCES
from services.relief.payments.rules import (
    CLAIMS,
    FUNDS,
    ExceptionCode,
    Programme,
    is_payable,
    people_of_tekun,
    unpaid_people,
)
from services.relief.tekun.queries import people_on_tekun
from services.relief.tekun.rules import Payee
from shared import audit, clock, events, identity, jobs
from shared.auth import Caller, officer_of
from shared.contracts.assistance import Assistance, AssistanceEvent, AssistanceStatus
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.db import among
from shared.errors import Conflict, Forbidden, NotFound, Refused

PAY = "relief.pay"
"""The job that pays one run."""
CONFIRM = "relief.confirm_paid"
"""The job that marks a run's payments as paid."""

_CLAIM = text(
    """
    INSERT INTO payment_beneficiaries (
        payment_id, person_id, programme, claim, month, division_code)
    SELECT payment_id, person_id, :programme, :claim, :month, division_code
    FROM unnest(CAST(:payment_ids AS uuid[]), CAST(:person_ids AS uuid[]),
        CAST(:division_codes AS text[])) AS claims(payment_id, person_id, division_code)
    ORDER BY person_id, payment_id
    ON CONFLICT (claim, person_id, month) DO NOTHING
    RETURNING payment_id, person_id
    """
)


async def open_run(
    session: AsyncSession, caller: Caller, *, programme: Programme, month: date, division_code: str
) -> UUID:
    """Order a run and the job that pays it. Returns the run's id.

    Raises Forbidden for a division that is not the caller's and Refused for a month later than
    the next. A second run of a month is no error: it pays what has become due since.
    """
    if not caller.covers(division_code):
        raise Forbidden(
            "division_not_covered", f"your token does not cover the division {division_code}"
        )
    if not is_payable(month, clock.today()):
        raise Refused(
            "month_too_late",
            f"{month:%Y-%m} is later than next month: grants are paid from the month after their "
            "decision (R13), so order it in the month before",
        )
    run_id = identity.new_id()
    arguments = {"run_id": str(run_id)}
    job = await jobs.enqueue(session, caller, PAY, arguments, division_code)
    row = {
        "run_id": run_id,
        "programme": programme,
        "month": month,
        "division_code": division_code,
        "job_id": job.job_id,
        "created_by": caller.officer_id or caller.sub,
        "created_at": clock.now(),
    }
    await session.execute(insert(PaymentRun), [row])
    await audit.record(
        session,
        caller,
        action="payment_run.ordered",
        subject_type="payment_run",
        subject_id=str(run_id),
        division_code=division_code,
        detail={"programme": programme.value, "month": f"{month:%Y-%m}"},
    )
    return run_id


async def confirm_run(
    session: AsyncSession, caller: Caller, run_id: UUID, *, paid_on: date
) -> None:
    """Order that all payments of a run be marked as paid on a day, by a second officer.

    The way by hand, where the bank takes no file. Raises NotFound, Forbidden without an officer,
    Conflict (``run_not_over``, ``bank_file_exists``, ``run_confirmed``, ``same_officer``) and
    Refused (``paid_on_impossible``).
    """
    officer = officer_of(caller)
    run = await queries.run_by_id(session, run_id, caller.divisions, lock=True)
    if run is None:
        raise NotFound("payment_run_unknown", f"no payment run {run_id}")
    await refuse_unless_over(session, run, what="run")
    if await bank_queries.has_file(session, run["run_id"]):
        raise Conflict("bank_file_exists", "the run goes by bank file: hand in the bank's return")
    await refuse_confirmation(session, run, paid_on=paid_on, officer=officer, what="run")
    confirmed = {"paid_on": paid_on, "confirmed_by": officer}
    await session.execute(update(PaymentRun).where(PaymentRun.run_id == run_id).values(**confirmed))
    await jobs.enqueue(session, caller, CONFIRM, {"run_id": str(run_id)}, run["division_code"])
    await audit.record(
        session,
        caller,
        action="payment_run.confirmed",
        subject_type="payment_run",
        subject_id=str(run_id),
        division_code=run["division_code"],
        detail={"paid_on": paid_on.isoformat()},
    )


async def confirm_payments(session: AsyncSession, run: RowMapping, *, limit: int) -> int:
    """Mark the run's next approved payments as paid and announce each; returns how many."""
    rows = await queries.hold_unconfirmed(session, run["run_id"], limit)
    if not rows:
        return 0
    paid = [
        {
            **row,
            "status": AssistanceStatus.PAID.value,
            "paid_on": run["paid_on"],
            "version": row["version"] + 1,
        }
        for row in rows
    ]
    ids = [row["payment_id"] for row in paid]
    changes = {"status": AssistanceStatus.PAID, "paid_on": run["paid_on"]}
    changed = update(Payment).where(among(Payment.payment_id, ids))
    await session.execute(changed.values(**changes, version=Payment.version + 1))
    people = await queries.beneficiaries_of(session, ids)
    await events.publish(
        session, [assisted(payment, people.get(payment["payment_id"], ())) for payment in paid]
    )
    return len(paid)


async def pay_households(
    session: AsyncSession, run: RowMapping, household_ids: Sequence[UUID]
) -> int:
    """Pay those of these households that are due for the run's month and not yet paid.

    They are settled first, which also locks them: a run that overtakes the recalculation of a line
    approved just before would pay the old amount, and a paid month stays as it was paid. Each
    payment is announced as ``assisted`` in the same transaction. A household that cannot be paid,
    because of a person who is paid for or tekun elsewhere, or because its people live in different
    places, becomes an exception. Returns how many were paid.
    """
    source = SOURCES[Programme(run["programme"])]
    await source.settle(session, household_ids)
    due = await source.due(session, household_ids, run["month"], run["division_code"])
    paid = await queries.paid_households(session, run, household_ids)
    owed = [grant for grant in due if grant["household_id"] not in paid]
    members = await queries.members_of(session, [grant["household_id"] for grant in owed])
    drafts = [_draft(run, grant) for grant in await _payable(session, run, owed, members)]
    if not drafts:
        return 0
    blocked = await _claim_people(session, drafts, members)
    payments = [draft for draft in drafts if draft["payee_household_id"] not in blocked]
    places = {draft["payee_household_id"]: draft["division_code"] for draft in drafts}
    await note_exceptions(session, run, places, ExceptionCode.PERSON_ALREADY_PAID, blocked)
    if payments:
        await session.execute(insert(Payment), payments)
        await events.publish(
            session,
            [
                assisted(payment, members.get(payment["payee_household_id"], ()))
                for payment in payments
            ],
        )
    return len(payments)


async def _payable(
    session: AsyncSession,
    run: RowMapping,
    owed: Sequence[RowMapping],
    members: Mapping[UUID, Sequence[UUID]],
) -> list[RowMapping]:
    """Those of the grants that nothing but a claim may stand against; the rest are noted."""
    if not owed:
        return []
    programme = Programme(run["programme"])
    people = [person for each in members.values() for person in each]
    on_tekun = await people_on_tekun(session, people, run["month"])
    held_up = people_of_tekun(programme, members, on_tekun)
    differ: dict[UUID, Sequence[UUID]] = {
        grant["household_id"]: members.get(grant["household_id"], ())
        for grant in owed
        if grant.get("payee") == Payee.SEVERAL
    }
    places = {grant["household_id"]: grant["division_code"] for grant in owed}
    await note_exceptions(session, run, places, ExceptionCode.PERSON_ON_TEKUN, held_up)
    await note_exceptions(session, run, places, ExceptionCode.PAYEES_DIFFER, differ)
    return [grant for grant in owed if grant["household_id"] not in {*held_up, *differ}]


def _draft(run: RowMapping, grant: RowMapping) -> dict[str, Any]:
    return {
        "payment_id": identity.new_id(),
        "run_id": run["run_id"],
        "programme": run["programme"],
        "payee_household_id": grant["household_id"],
        "division_code": grant["division_code"],
        "month": run["month"],
        "amount": grant["amount"],
        "fund": FUNDS[Programme(run["programme"])],
        "grant_id": grant["grant_id"],
        "payee_institution_id": grant.get("institution_id"),
        "status": AssistanceStatus.APPROVED.value,
        "granted_on": clock.today(),
        "version": 1,
    }


async def _claim_people(
    session: AsyncSession,
    drafts: Sequence[Mapping[str, Any]],
    members: Mapping[UUID, Sequence[UUID]],
) -> dict[UUID, list[UUID]]:
    """Claim every member for the month; gives the households that did not get all of theirs.

    Claims go in the order of persons, so that two runs never wait for each other in a ring; one
    that meets another run's claim waits until that run has committed.
    """
    payees = {draft["payment_id"]: draft["payee_household_id"] for draft in drafts}
    claims = [
        (draft["payment_id"], person_id, draft["division_code"])
        for draft in drafts
        for person_id in members.get(draft["payee_household_id"], ())
    ]
    payment_ids, person_ids, division_codes = zip(*claims, strict=True) if claims else ((),) * 3
    values = {
        "payment_ids": list(payment_ids),
        "person_ids": list(person_ids),
        "division_codes": list(division_codes),
        "programme": drafts[0]["programme"],
        "claim": CLAIMS[Programme(drafts[0]["programme"])],
        "month": drafts[0]["month"],
    }
    claimed = await session.execute(_CLAIM, values)
    taken = {(payees[row.payment_id], row.person_id) for row in claimed}
    due = {payee: members.get(payee, ()) for payee in payees.values()}
    blocked = unpaid_people(due, taken)
    if blocked:
        given_up = [payment_id for payment_id, payee in payees.items() if payee in blocked]
        theirs = among(PaymentBeneficiary.payment_id, given_up)
        await session.execute(delete(PaymentBeneficiary).where(theirs))
    return blocked


async def note_exceptions(
    session: AsyncSession,
    run: RowMapping,
    places: Mapping[UUID, str],
    code: ExceptionCode,
    about: Mapping[UUID, Sequence[UUID]],
) -> None:
    """Note the households that ``code`` speaks against, each with the people it is about."""
    rows = [
        {
            "exception_id": identity.new_id(),
            "run_id": run["run_id"],
            "household_id": household_id,
            "division_code": places[household_id],
            "code": code.value,
            "detail": {"person_ids": [str(each) for each in people]},
            "created_at": clock.now(),
        }
        for household_id, people in sorted(about.items())
    ]
    if rows:
        noted = insert_or_renew(PaymentException).on_conflict_do_update(
            constraint="uq_payment_exceptions_once", set_={"settled_at": None}
        )
        await session.execute(noted, rows)


def assisted(payment: Mapping[str, Any], people: Sequence[UUID]) -> events.NewEvent:
    """The event that tells a payment as it now stands, with whom it is for."""
    return events.NewEvent(
        topic=RELIEF_ASSISTANCE,
        type=AssistanceEvent.ASSISTED,
        subject=payment["payment_id"],
        version=payment["version"],
        payload=Assistance(
            assistance_id=payment["payment_id"],
            household_id=payment["payee_household_id"],
            person_ids=tuple(people),
            programme=payment["programme"],
            status=payment["status"],
            amount=payment["amount"],
            fund=payment["fund"],
            month=payment["month"],
            granted_on=payment["granted_on"],
        ),
    )
