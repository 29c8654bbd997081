"""Entering and revoking authorisations, and asking for verifications (C20, section 4)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import actions as households
from services.registry.households import sealed as households_sealed
from services.registry.households.actions import File
from services.registry.households.refusals import problem_of, refuse_if
from services.registry.households.rules import fault
from services.registry.verification import consent, queries, sealed
from services.registry.verification.consent import Question, Signed, Wish
from services.registry.verification.models import Authorization, Item, Obligor, Verification
from services.registry.verification.sources import ItemState, Kind, Source, SubjectKind
from shared import audit, clock, identity
from shared.auth import Caller, officer_of
from shared.errors import Conflict, NotFound
from shared.identity import InvalidIdNumberError


async def register_obligor(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    *,
    name: str,
    id_number: str,
    relation: str,
    supports_person_id: UUID,
) -> UUID:
    """Note somebody outside the household who owes a member support; gives his id.

    Raises NotFound, Conflict (``obligor_known``), Refused (``id_number_…``, ``member_unknown``,
    ``obligor_is_member``).
    """
    officer, file = officer_of(caller), await households.lock_one(session, caller, household_id)
    if file.facts.member(supports_person_id) is None:
        raise problem_of([fault("person_id", "member_unknown", "该人员不是本户成员")])
    number = _parsed(id_number)
    hashed = households_sealed.hash_id_number(number)
    if hashed in await queries.member_hashes(session, file.facts):
        raise problem_of([fault("id_number", "obligor_is_member", "本户成员不能登记为户外义务人")])
    known = await queries.obligors_of(session, household_id, divisions=caller.divisions)
    if any(each["ended_on"] is None and each["id_number_hash"] == hashed for each in known):
        raise Conflict("obligor_known", "this obligor of the household is registered already")
    obligor_id = identity.new_id()
    row = {
        "obligor_id": obligor_id,
        "household_id": household_id,
        "division_code": file.facts.division_code,
        "supports_person_id": supports_person_id,
        "relation": relation,
        "name_encrypted": sealed.seal_name(name.strip()),
        "id_number_encrypted": households_sealed.seal_id_number(number),
        "id_number_hash": hashed,
        "ended_reason": "",
        "recorded_by": officer,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Obligor), [row])
    await _note(session, caller, file, "obligor.registered", obligor_id=obligor_id)
    return obligor_id


async def end_obligor(
    session: AsyncSession, caller: Caller, household_id: UUID, obligor_id: UUID, *, reason: str
) -> None:
    """Say that somebody owes no support any more, or never did.

    Raises NotFound, Conflict (``obligor_ended``), Refused (``reason_missing``).
    """
    officer_of(caller)
    file = await households.lock_one(session, caller, household_id)
    known = await queries.obligors_of(session, household_id, divisions=caller.divisions)
    found = next((each for each in known if each["obligor_id"] == obligor_id), None)
    if found is None:
        raise NotFound("obligor_not_found", "no such obligor of this household")
    if found["ended_on"] is not None:
        raise Conflict("obligor_ended", "this obligor's duty has ended already")
    await session.execute(
        update(Obligor)
        .where(Obligor.obligor_id == obligor_id)
        .values(ended_on=clock.today(), ended_reason=_said(reason), recorded_at=clock.now())
    )
    await _note(session, caller, file, "obligor.ended", obligor_id=obligor_id)


async def authorize(
    session: AsyncSession, caller: Caller, household_id: UUID, signed: Signed
) -> UUID:
    """Store a signed authorisation as its person's next version; gives its id.

    Raises NotFound, or Refused listing every fault.
    """
    officer, file = officer_of(caller), await households.lock_one(session, caller, household_id)
    obligors = await _obligors(session, caller, household_id)
    refuse_if(consent.signed_faults(file.facts, obligors, signed, today=clock.today()))
    known = await queries.authorizations_of(session, household_id, divisions=caller.divisions)
    earlier = [each["version"] for each in known if each["subject_id"] == signed.subject_id]
    guardian = signed.guardian
    name = guardian.name if guardian and guardian.person_id is None else None
    authorization_id = identity.new_id()
    row = {
        "authorization_id": authorization_id,
        "household_id": household_id,
        "division_code": file.facts.division_code,
        "subject_kind": _kind(file, signed.subject_id).value,
        "subject_id": signed.subject_id,
        "version": max(earlier, default=0) + 1,
        "sources": [source.value for source in Source if source in signed.sources],
        "purpose": signed.purpose.strip(),
        **{name: getattr(signed, name) for name in ("signed_on", "valid_from", "valid_to")},
        "document": signed.document.strip(),
        "guardian_person_id": guardian.person_id if guardian else None,
        "guardian_name_encrypted": sealed.seal_name(name.strip()) if name else None,
        "revoked_reason": "",
        "recorded_by": officer,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Authorization), [row])
    told = {"authorization_id": authorization_id, "version": row["version"]}
    await _note(session, caller, file, "authorization.entered", **told)
    return authorization_id


async def revoke(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    authorization_id: UUID,
    *,
    reason: str,
) -> None:
    """Revoke an authorisation: once this is committed no query leaves by it.

    It waits for questions on their way out, which hold the authorisation until they are sent.
    Raises NotFound, Conflict (``authorization_revoked``), Refused (``reason_missing``).
    """
    officer, said = officer_of(caller), _said(reason)
    file = await households.lock_one(session, caller, household_id)
    row = await queries.hold_authorization(
        session, household_id, authorization_id, divisions=caller.divisions
    )
    if row is None:
        raise NotFound("authorization_not_found", "no such authorisation of this household")
    if row["revoked_on"] is not None:
        raise Conflict("authorization_revoked", "this authorisation has been revoked already")
    await session.execute(
        update(Authorization)
        .where(Authorization.authorization_id == authorization_id)
        .values(revoked_on=clock.today(), revoked_by=officer, revoked_reason=said)
    )
    await _note(session, caller, file, "authorization.revoked", authorization_id=authorization_id)


async def request(session: AsyncSession, caller: Caller, household_id: UUID, wish: Wish) -> UUID:
    """Ask for a verification: one question a person and source, sent by the worker; its id.

    Raises NotFound, Conflict, or Refused listing every fault: each adult whose signature is
    missing by name of his id.
    """
    today = clock.today()
    file = await households.lock_one(session, caller, household_id)
    running = await queries.is_running(session, household_id)
    faults = consent.wish_faults(
        file.facts, wish, officer_id=caller.officer_id, today=today, running=running
    )
    obligors = await _obligors(session, caller, household_id)
    consents = await queries.consents_of(session, household_id, divisions=caller.divisions)
    required = consent.must_sign(file.facts, obligors, aid_type=wish.aid_type, today=today)
    faults += consent.unsigned_faults(required, consents, wish.sources, on=today)
    faults += await queries.parameter_faults(session, file.facts.division_code, today)
    refuse_if(faults)
    asked = consent.questions(file.facts, obligors, consents, wish.sources, on=today)
    row = _verification(caller, file, wish)
    await session.execute(insert(Verification), [row])
    await session.execute(insert(Item), [_item(row, question) for question in asked])
    verification_id: UUID = row["verification_id"]
    told = {"verification_id": verification_id, "items": len(asked)}
    await _note(session, caller, file, "verification.requested", **told)
    return verification_id


async def ask_again(
    session: AsyncSession, caller: Caller, household_id: UUID, verification_id: UUID
) -> int:
    """Ask anew what failed or did not come back, by what is signed now; how many questions.

    Raises NotFound, Conflict (``review_stopped``, ``nothing_to_ask``), or Refused naming whose
    signature is missing.
    """
    officer_of(caller)
    file = await households.lock_one(session, caller, household_id)
    row = await queries.one(session, household_id, verification_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("verification_not_found", "no such verification of this household")
    if row["stopped_on"] is not None:
        raise Conflict("review_stopped", "a death mark stopped it: correct the file and ask anew")
    items = await queries.hold_unreturned(session, household_id, verification_id)
    if not items:
        raise Conflict("nothing_to_ask", "every source has answered, or is still being asked")
    consents = await queries.consents_of(session, household_id, divisions=caller.divisions)
    allowed = consent.allowed_sources(consents, on=clock.today())
    wanted = [(each["subject_id"], Source(each["source"])) for each in items]
    faults = [
        each
        for subject_id in sorted({subject for subject, _ in wanted})
        for each in consent.unsigned_faults(
            [subject_id],
            consents,
            [source for subject, source in wanted if subject == subject_id],
            on=clock.today(),
        )
    ]
    refuse_if(faults)
    for subject_id, source in wanted:
        await session.execute(
            update(Item)
            .where(Item.household_id == household_id, Item.verification_id == verification_id)
            .where(Item.subject_id == subject_id, Item.source == source.value)
            .values(_fresh(allowed[subject_id][source]))
        )
    told = {"verification_id": verification_id, "items": len(wanted)}
    await _note(session, caller, file, "verification.asked_again", **told)
    return len(wanted)


async def _obligors(session: AsyncSession, caller: Caller, household_id: UUID) -> list[UUID]:
    rows = await queries.obligors_of(session, household_id, divisions=caller.divisions)
    return [row["obligor_id"] for row in rows if row["ended_on"] is None]


def _kind(file: File, subject_id: UUID) -> SubjectKind:
    return SubjectKind.MEMBER if file.facts.member(subject_id) else SubjectKind.OBLIGOR


def _parsed(id_number: str) -> str:
    try:
        return identity.parse_id_number(id_number).number
    except InvalidIdNumberError as invalid:
        raise problem_of([fault("id_number", invalid.code, invalid.message_zh)]) from invalid


def _said(reason: str) -> str:
    if not reason.strip():
        raise problem_of([fault("reason", "reason_missing", "须以文字写明理由")])
    return reason.strip()


def _verification(caller: Caller, file: File, wish: Wish) -> dict[str, Any]:
    return {
        "verification_id": identity.new_id(),
        "household_id": file.household_id,
        "division_code": file.facts.division_code,
        "kind": Kind.CASE.value,
        "aid_type": wish.aid_type.value,
        "purpose": wish.purpose.strip(),
        "window_from": wish.window_from,
        "window_to": wish.window_to,
        "revision": file.revision,
        "requested_on": clock.today(),
        "requested_at": clock.now(),
        "requested_by": officer_of(caller),
    }


def _item(verification: Mapping[str, Any], question: Question) -> dict[str, Any]:
    return {
        **{name: verification[name] for name in ("household_id", "verification_id")},
        "division_code": verification["division_code"],
        "subject_kind": question.subject_kind.value,
        "subject_id": question.subject_id,
        "source": question.source.value,
        **_fresh(question.authorization_id),
    }


def _fresh(authorization_id: UUID) -> dict[str, Any]:
    return {
        "authorization_id": authorization_id,
        "state": ItemState.WAITING.value,
        "failure": None,
        "attempts": 0,
        "due_at": clock.now(),
        "sent_at": None,
    }


async def _note(
    session: AsyncSession, caller: Caller, file: File, action: str, **detail: Any
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=file.household_id,
        division_code=file.facts.division_code,
        detail={
            name: str(value) if isinstance(value, UUID) else value for name, value in detail.items()
        },
    )
