"""Who must have signed before anything is asked of a source, and what a signed paper must say.

Written, from every adult co-resident member; the guardian signs for a minor; obligors sign where
their support is tested (policy section 4; C20: no query without a live authorisation). Pure.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from services.registry.notices.rules import is_adult
from services.registry.verification.sources import Source, SubjectKind
from shared.contracts.registry import Category, State
from shared.errors import Fault

MOST_WINDOW_MONTHS = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """Who signs for another: a member of the household, or somebody else by name."""

    person_id: UUID | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed authorisation as an officer enters it; ``document`` says where the paper is."""

    subject_id: UUID
    sources: tuple[Source, ...] = tuple(Source)
    purpose: str
    signed_on: date
    valid_from: date
    valid_to: date
    document: str
    guardian: Guardian | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A stored authorisation as it is looked at before a query."""

    authorization_id: UUID
    subject_id: UUID
    sources: frozenset[Source]
    valid_from: date
    valid_to: date
    revoked_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a verification is asked for; the window is whole months, both included."""

    aid_type: Category
    purpose: str
    window_from: date
    window_to: date
    sources: tuple[Source, ...] = tuple(Source)


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody may be asked about at a source, and by which authorisation."""

    subject_kind: SubjectKind
    subject_id: UUID
    source: Source
    authorization_id: UUID


def is_live(consent: Consent, *, on: date) -> bool:
    """Whether an authorisation holds on a day: from its first to its last, unless revoked.

    Example: valid from 2026-01-01 to 2026-12-31 it holds on both, not on 2027-01-01; revoked on
    2026-05-04 it holds no more on that day.
    """
    return consent.revoked_on is None and consent.valid_from <= on <= consent.valid_to


def signed_faults(
    facts: Facts, obligors: Collection[UUID], signed: Signed, *, today: date
) -> list[Fault]:
    """All that speaks against an authorisation as it was entered."""
    faults = day_faults("signed_on", signed.signed_on, today=today)
    if signed.valid_from < signed.signed_on:
        faults.append(fault("valid_from", "valid_before_signing", "授权起始日不能早于签署日期"))
    if signed.valid_to < max(signed.valid_from, today):
        faults.append(fault("valid_to", "authorization_over", "授权期限已过或早于起始日"))
    if not signed.document.strip():
        faults.append(fault("document", "document_missing", "须注明已签署授权书的存放编号"))
    if not signed.sources:
        faults.append(fault("sources", "sources_missing", "授权书须写明查询范围"))
    return faults + _subject_faults(facts, obligors, signed, today=today)


def _subject_faults(
    facts: Facts, obligors: Collection[UUID], signed: Signed, *, today: date
) -> list[Fault]:
    member = facts.member(signed.subject_id)
    if member is None and signed.subject_id not in obligors:
        message = "授权人既不是本户成员,也不是已登记的法定义务人"
        return [fault("person_id", "person_unknown", message)]
    if signed.guardian is None:
        if member is not None and not is_adult(member, today):
            return [fault("guardian", "guardian_missing", "未成年人的授权书由监护人签署")]
        return []
    return _guardian_faults(facts, signed, signed.guardian, today=today)


def _guardian_faults(
    facts: Facts, signed: Signed, guardian: Guardian, *, today: date
) -> list[Fault]:
    if guardian.person_id is None:
        if (guardian.name or "").strip():
            return []
        return [fault("guardian", "guardian_missing", "须写明监护人")]
    member = facts.member(guardian.person_id)
    if member is None or member.person_id == signed.subject_id or not is_adult(member, today):
        return [fault("guardian", "guardian_not_adult", "监护人须是本户的另一名成年成员")]
    return []


def wish_faults(
    facts: Facts, wish: Wish, *, officer_id: str | None, today: date, running: bool
) -> list[Fault]:
    """All that speaks against a request, but for missing signatures.

    The requester vouches for the papers, so the token names an officer; one case at a time.
    """
    if facts.state is State.CLOSED:
        return [fault("", "household_closed", "档案已终止,不能发起核对")]
    if running:
        return [fault("", "verification_running", "上一次核对尚未结束")]
    faults = officer_faults(officer_id)
    faults += day_faults("to_month", wish.window_to, today=today)
    if wish.window_to < wish.window_from:
        faults.append(fault("from_month", "window_reversed", "起始月份不能晚于截止月份"))
    elif window_months(wish.window_from, wish.window_to) > MOST_WINDOW_MONTHS:
        message = f"收入核算期最长{MOST_WINDOW_MONTHS}个月"
        faults.append(fault("from_month", "window_too_long", message))
    if not wish.purpose.strip():
        faults.append(fault("purpose", "purpose_missing", "须写明核对目的"))
    if not wish.sources:
        faults.append(fault("sources", "sources_missing", "至少选择一个核对项目"))
    return faults


def window_months(window_from: date, window_to: date) -> int:
    """The months of an income window, both included: 2026-01 to 2026-12 are 12."""
    return (window_to.year - window_from.year) * 12 + window_to.month - window_from.month + 1


def must_sign(
    facts: Facts, obligors: Iterable[UUID], *, aid_type: Category, today: date
) -> list[UUID]:
    """Without whose signatures nothing is asked: adults who count; for tekun the obligors too."""
    adults = [
        member.person_id for member in facts.members if member.counted and is_adult(member, today)
    ]
    return [*adults, *(obligors if aid_type is Category.TEKUN else ())]


def unsigned_faults(
    required: Iterable[UUID], consents: Iterable[Consent], sources: Collection[Source], *, on: date
) -> list[Fault]:
    """One fault a person who has not signed, or not for all of these sources."""
    allowed = allowed_sources(consents, on=on)
    faults = []
    for subject_id in required:
        lacking = [each for each in sources if each not in allowed.get(subject_id, {})]
        if lacking:
            message = "缺少有效的核对授权书,未覆盖:" + "、".join(each.value for each in lacking)
            faults.append(fault(f"members/{subject_id}", "authorization_missing", message))
    return faults


def allowed_sources(
    consents: Iterable[Consent], *, on: date
) -> Mapping[UUID, Mapping[Source, UUID]]:
    """By person and source the live authorisation that allows a query; the latest signed wins.

    ``consents`` come newest first for each person.
    """
    allowed: dict[UUID, dict[Source, UUID]] = {}
    for consent in consents:
        if not is_live(consent, on=on):
            continue
        own = allowed.setdefault(consent.subject_id, {})
        for source in consent.sources:
            own.setdefault(source, consent.authorization_id)
    return allowed


def questions(
    facts: Facts,
    obligors: Collection[UUID],
    consents: Sequence[Consent],
    sources: Sequence[Source],
    *,
    on: date,
) -> list[Question]:
    """All that may be asked of a household: each person, at each source that he allowed.

    A minor for whom nobody signed is not asked about.
    """
    allowed = allowed_sources(consents, on=on)
    people = [(SubjectKind.MEMBER, member.person_id) for member in facts.members]
    people += [(SubjectKind.OBLIGOR, obligor_id) for obligor_id in obligors]
    return [
        Question(kind, subject_id, source, allowed[subject_id][source])
        for kind, subject_id in people
        for source in sources
        if source in allowed.get(subject_id, {})
    ]
