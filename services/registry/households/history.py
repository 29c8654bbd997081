"""The two times of a household's facts: from when they hold, and when we came to know them.

A timeline holds one entry a day on which something changed; a value holds until the entry that
changes it. A correction in the past travels forward through the later entries, value by value, and
stops where a later entry had changed that very value already. All of this is pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.registry.households.facts import AMOUNTS, Facts
from shared.contracts.registry import FactPeriod, HouseholdState, Member, Relation

Values = dict[str, Any]
Rows = dict[str, Values]

_ROWS = {"members": "person_id", "episodes": "number"}


@dataclass(frozen=True, slots=True)
class Entry:
    """The facts that hold from ``valid_from`` until the next entry."""

    valid_from: date
    facts: Facts


Timeline = tuple[Entry, ...]
"""Entries by ``valid_from``, at most one a day; never empty for a stored household."""


def facts_at(timeline: Timeline, on: date) -> Facts | None:
    """The facts that hold on a day; None before the first entry."""
    return next((entry.facts for entry in reversed(timeline) if entry.valid_from <= on), None)


def first_day_of(timeline: Timeline, person_id: UUID) -> date | None:
    """The first day on which this person stands in the household."""
    days = (entry.valid_from for entry in timeline if entry.facts.member(person_id))
    return next(days, None)


def amend(timeline: Timeline, valid_from: date, facts: Facts) -> Timeline:
    """The timeline once ``facts`` hold from ``valid_from`` on.

    Example: income 100 from January, 200 from March. "150 from February" leaves March at 200, for
    March had changed the income itself; "house grade C from February" goes through to March.
    The same timeline object comes back when nothing changes.
    """
    old = facts_at(timeline, valid_from)
    if old == facts:
        return timeline
    earlier = tuple(entry for entry in timeline if entry.valid_from < valid_from)
    later = tuple(entry for entry in timeline if entry.valid_from > valid_from)
    if old is not None and later:
        later = _carried(old, facts, later)
    return (*earlier, Entry(valid_from, facts), *later)


def changed_entries(before: Timeline, after: Timeline) -> list[Entry]:
    """The entries of ``after`` that ``before`` did not hold like this: what must be recorded."""
    known = {entry.valid_from: entry.facts for entry in before}
    return [entry for entry in after if known.get(entry.valid_from) != entry.facts]


def periods(timeline: Timeline) -> tuple[FactPeriod, ...]:
    """One period a change of what entitles, from the first identification on, newest last.

    Example: identified in March with 3 members, a birth in May, a new house grade in June gives two
    periods, March (n 3) and May (n 4). The last one always equals the newest facts.
    """
    found: list[FactPeriod] = []
    for entry in timeline:
        period = _period(entry)
        if period and not (found and _same(found[-1], period)):
            found.append(period)
    return tuple(found)


def published(
    household_id: UUID, timeline: Timeline, *, effective_from: date
) -> HouseholdState | None:
    """The state that every bureau may know, of the newest entry; None before identification."""
    facts = timeline[-1].facts
    if not facts.episodes or facts.category is None or facts.rule_set is None:
        return None
    shown: dict[str, Any] = {name: getattr(facts, name) for name in _PUBLISHED}
    return HouseholdState(
        household_id=household_id,
        effective_from=effective_from,
        n=facts.n,
        periods=periods(timeline),
        **shown,
    )


def surely_news(before: Timeline, after: Timeline) -> bool:
    """Whether the newest facts differ in what is published; False leaves it open."""
    old, new = before[-1].facts, after[-1].facts
    return any(getattr(old, name) != getattr(new, name) for name in _PUBLISHED)


_SHARED = frozenset(Facts.model_fields)
_PUBLISHED = tuple(name for name in HouseholdState.model_fields if name in _SHARED)


def _period(entry: Entry) -> FactPeriod | None:
    facts = entry.facts
    if not facts.episodes or facts.category is None:
        return None
    return FactPeriod(
        valid_from=entry.valid_from,
        state=facts.state,
        category=facts.category,
        n=facts.n,
        incomes=facts.incomes,
        keep_policy_until=facts.keep_policy_until,
        division_code=facts.division_code,
        tags=facts.tags,
    )


def _same(one: FactPeriod, other: FactPeriod) -> bool:
    return one.model_copy(update={"valid_from": other.valid_from}) == other


def _carried(old: Facts, new: Facts, later: Timeline) -> Timeline:
    rows = [_dump(entry.facts) for entry in later]
    was, now = _dump(old), _dump(new)
    _carry_values(was, now, rows, skip=(*_ROWS, *AMOUNTS))
    for kind in AMOUNTS:
        _carry_values(was[kind], now[kind], [row[kind] for row in rows])
    for name in _ROWS:
        _carry_rows(was[name], now[name], [row[name] for row in rows])
    return tuple(
        Entry(entry.valid_from, _load(row)) for entry, row in zip(later, rows, strict=True)
    )


def _carry_values(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    later: Sequence[Values],
    skip: Sequence[str] = (),
) -> None:
    for name in new:
        if name in skip or new[name] == old.get(name):
            continue
        for row in later:
            if row.get(name) != old.get(name):
                break
            row[name] = new[name]


def _carry_rows(old: Rows, new: Rows, later: Sequence[Rows]) -> None:
    for key in {**old, **new}:
        if old.get(key) == new.get(key):
            continue
        if key in old and key in new:
            _carry_values(old[key], new[key], [rows[key] for rows in _while_there(key, later)])
        elif key in new:
            _add_until_there(key, new[key], later)
        else:
            for rows in _while_there(key, later):
                del rows[key]


def _while_there(key: str, later: Sequence[Rows]) -> list[Rows]:
    end = next((at for at, rows in enumerate(later) if key not in rows), len(later))
    return list(later[:end])


def _add_until_there(key: str, values: Values, later: Sequence[Rows]) -> None:
    for rows in later:
        if key in rows:
            break
        rows[key] = dict(values)


def _dump(facts: Facts) -> dict[str, Any]:
    values = facts.model_dump()
    for name, key in _ROWS.items():
        values[name] = {str(row[key]): row for row in values[name]}
    return values


def _load(values: Mapping[str, Any]) -> Facts:
    rows = {name: tuple(values[name].values()) for name in _ROWS}
    return arranged(Facts.model_validate({**values, **rows}))


def arranged(facts: Facts) -> Facts:
    """Members in their one order, head first, and no second member called head."""
    members = [
        member.model_copy(update={"relation": relation})
        if (relation := _relation(member, facts.head_person_id)) is not member.relation
        else member
        for member in facts.members
    ]
    members.sort(key=lambda member: (member.person_id != facts.head_person_id, member.person_id))
    episodes = sorted(facts.episodes, key=lambda episode: episode.number)
    return facts.model_copy(update={"members": tuple(members), "episodes": tuple(episodes)})


def _relation(member: Member, head_person_id: UUID) -> Relation:
    if member.person_id == head_person_id:
        return Relation.HEAD
    return Relation.OTHER if member.relation is Relation.HEAD else member.relation
