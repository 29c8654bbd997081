"""The checks A to F: each gives what it found wrong, in words that name the row.

They read the evidence alone. A check that finds nothing wrong gives nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from shared.contracts.registry import SOURCE, HouseholdState
from tests.ledger.evidence import Aggregate, Event, Evidence
from tests.ledger.journal import Entry
from tests.ledger.nemesis import Recovery
from tests.ledger.stack import SERVICES, listens_to
from tests.ledger.witness import POISON

AUDITED = {
    "open": ("registry", "household.opened"),
    "run": ("relief", "payment_run.ordered"),
    "confirm": ("relief", "payment_run.confirmed"),
}
"""Where the audit says that an operation was done: it keeps the correlation id."""
_UNPUBLISHED = {"relief.standards": 1}
"""Versions never published: a standard is entered in its first and approved in its second."""
_MOVED = 412
_SHOWN = 5


def all_problems(
    journal: Mapping[str, Entry],
    poisoned: Evidence,
    healed: Evidence,
    recoveries: Sequence[Recovery],
    unexpected: Sequence[str],
) -> dict[str, list[str]]:
    """The problems of every check by its letter.

    ``poisoned`` was gathered while notify still refused its poison, ``healed`` after the re-drive;
    ``unexpected`` names processes that ended by themselves.
    """
    return {
        "A": list(operations_once(journal, healed)),
        "B": list(kafka_has_all(healed)),
        "C": list(listeners_follow(healed)),
        "D": list(money_adds_up(healed)),
        "E": list(only_poison_is_parked(poisoned, healed)),
        "F": [*path_recovers(recoveries), *unexpected],
    }


def operations_once(journal: Mapping[str, Entry], evidence: Evidence) -> Iterator[str]:
    """A: an acknowledged operation is in the source once, an aborted one never, others at most.

    Only two outcomes may stay unknown: a change whose repetition met a newer revision (412), and
    an operation to be aborted whose one answer was lost.
    """
    done = _done(evidence)
    for op, entry in journal.items():
        kind, number = entry.operation.kind, done[entry.operation.kind][op]
        told = f"{kind} {op} was {entry.outcome} ({entry.status})"
        if number not in _expected(entry):
            yield f"{told} and is in the source {number} times"
        if entry.outcome == "unknown" and entry.status != _MOVED and not entry.operation.aborts:
            yield f"{told}: it was never answered"
        if entry.operation.aborts and entry.outcome == "acknowledged" and entry.version:
            yield f"{told} although it was rolled back"
    for service in SERVICES:
        yield from _holes(evidence.events[service])
    yield from _rows_behind(evidence)


def _done(evidence: Evidence) -> dict[str, Counter[str]]:
    """How often each operation is in the source, by its kind."""
    published = Counter(
        event.operation
        for event in evidence.events["registry"]
        if event.topic == "registry.households"
    )
    audited: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for service in ("registry", "relief"):
        for row in evidence.rows[f"{service}.audit_log"]:
            audited[service, row["action"]][row["correlation_id"]] += 1
    checks = Counter(row["note"] for row in evidence.rows["registry.income_checks"])
    found = {kind: audited[where] for kind, where in AUDITED.items()}
    found |= dict.fromkeys(("change", "join", "leave"), published) | {"check": checks}
    return defaultdict(Counter, found)


def _expected(entry: Entry) -> tuple[int, ...]:
    if entry.operation.aborts or entry.outcome == "refused":
        return (0,)
    if entry.outcome == "unknown":
        return (0, 1)
    changes_nothing = entry.operation.kind == "change" and entry.version == 0
    return (0,) if changes_nothing else (1,)


def _rows_behind(evidence: Evidence) -> Iterator[str]:
    """The registry's own rows stand at the version that it published last."""
    newest = {
        event.subject: event.version
        for event in evidence.events["registry"]
        if event.topic == "registry.households"
    }
    for row in evidence.rows["registry.households"]:
        published = newest.get(str(row["household_id"]), 0)
        if row["version"] != published:
            yield f"household {row['household_id']} is at {row['version']}, published {published}"


def _holes(events: Iterable[Event]) -> Iterator[str]:
    last: dict[Aggregate, int] = {}
    for event in events:
        before = last.get((event.source, event.subject), _UNPUBLISHED.get(event.topic, 0))
        if event.version != before + 1:
            yield f"{event.source} {event.subject}: version {event.version} follows {before}"
        last[event.source, event.subject] = event.version


def kafka_has_all(evidence: Evidence) -> Iterator[str]:
    """B: every version is in Kafka, byte for byte, nothing else is, first copies in order."""
    history = {
        (event.source, event.subject, event.version): event.digest
        for service in SERVICES
        for event in evidence.events[service]
    }
    first: dict[tuple[str, str, int], bytes] = {}
    highest: dict[Aggregate, int] = {}
    for copy in evidence.copies:
        key = (copy.source, copy.subject, copy.version)
        if key not in history:
            yield f"Kafka has {key} at {copy.topic}/{copy.partition}/{copy.offset}, no source has"
        elif copy.digest != history[key]:
            yield f"{key} is other bytes at {copy.topic}/{copy.partition}/{copy.offset}"
        if key in first:
            continue
        first[key] = copy.digest
        before = highest.get(key[:2], _UNPUBLISHED.get(copy.topic, 0))
        if copy.version != before + 1:
            yield f"{key} comes first after version {before}"
        highest[key[:2]] = max(copy.version, before)
    yield from (f"{key} is not in Kafka" for key in history if key not in first)
    yield from (
        f"{number} events are still in the outbox of {service}"
        for service, number in evidence.outbox.items()
        if number
    )


def listeners_follow(evidence: Evidence) -> Iterator[str]:
    """C: every listener has the newest version of all it listens to and never went back."""
    newest = _newest(evidence)
    for service in SERVICES:
        listener = evidence.listeners[service]
        for aggregate, event in newest.items():
            if event.type in listens_to(service).get(event.topic, ()):
                has = listener.received.get(aggregate, 0)
                if has != event.version:
                    yield f"{service} has version {has} of {aggregate}, the source {event.version}"
        yield from (f"{service} went back: {row}" for row in listener.went_back)
        yield from _not_rising(service, evidence)
        if service != "registry":
            yield from _copies_differ(service, evidence, newest)


def _newest(evidence: Evidence) -> dict[Aggregate, Event]:
    return {
        (event.source, event.subject): event
        for service in SERVICES
        for event in evidence.events[service]
    }


def _not_rising(service: str, evidence: Evidence) -> Iterator[str]:
    last: dict[tuple[str, str, str], int] = {}
    for seen in evidence.listeners[service].seen:
        key = (seen.place, seen.source, seen.subject)
        if seen.version <= last.get(key, 0):
            yield f"{service}: {key} took version {seen.version} after {last[key]}"
        last[key] = seen.version


def _copies_differ(
    service: str, evidence: Evidence, newest: Mapping[Aggregate, Event]
) -> Iterator[str]:
    copies = {str(row["household_id"]): row for row in evidence.rows[f"{service}.household_copy"]}
    for (source, subject), event in newest.items():
        if source != SOURCE or event.topic != "registry.households":
            continue
        row = copies.pop(subject, None)
        if row is None:
            yield f"{service} has no copy of {subject}"
        elif row["version"] != event.version or row["state"] != _state(event):
            yield f"{service}'s copy of {subject} is not version {event.version} of the source"
    yield from (f"{service} has a copy of {subject}, the registry has not" for subject in copies)


def _state(event: Event) -> HouseholdState:
    return HouseholdState.model_validate_json(event.data)


def money_adds_up(evidence: Evidence) -> Iterator[str]:
    """D: what the registry knows of money is what relief pays, once a person and month."""
    paid = {str(row["payment_id"]): row for row in evidence.rows["relief.payments"]}
    if not paid:
        yield "nothing was paid, so nothing was checked"
    known = {
        str(row["assistance_id"]): row
        for row in evidence.rows["registry.aid_ledger"]
        if row["source"] == "/relief"
    }
    for payment_id in paid.keys() | known.keys():
        ours, theirs = (_money(rows.get(payment_id)) for rows in (paid, known))
        if ours != theirs:
            yield f"payment {payment_id}: relief {ours}, the registry {theirs}"
    sums = [_sums(paid.values(), "payee_household_id"), _sums(known.values(), "household_id")]
    for key in sums[0].keys() | sums[1].keys():
        if sums[0][key] != sums[1][key]:
            yield f"{key}: relief pays {sums[0][key]} yuan, the registry knows {sums[1][key]}"
    people = Counter(
        (row["programme"], str(row["person_id"]), row["month"])
        for row in evidence.rows["relief.payment_beneficiaries"]
    )
    yield from (f"{key} is paid for {number} times" for key, number in people.items() if number > 1)


def _money(row: Mapping[str, Any] | None) -> tuple[Any, ...] | None:
    names = ("programme", "month", "amount", "status", "version")
    return None if row is None else tuple(row[name] for name in names)


def _sums(rows: Iterable[Mapping[str, Any]], household: str) -> dict[tuple[str, Any], Decimal]:
    found: dict[tuple[str, Any], Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["status"] != "reversed":
            found[str(row[household]), row["month"]] += row["amount"]
    return found


def only_poison_is_parked(poisoned: Evidence, healed: Evidence) -> Iterator[str]:
    """E: parked at notify is what cannot be stored with all behind it, and nothing elsewhere."""
    expected = _unstorable(poisoned.events["registry"])
    if not expected:
        yield "nothing was poisoned, so nothing was checked"
    for service in SERVICES:
        rows = [row for row in poisoned.listeners[service].parked if row["state"] == "parked"]
        there = {(row["aggregate_id"], row["aggregate_version"]) for row in rows}
        wanted = expected if service == "notify" else set()
        yield from (f"{service} did not park {key}" for key in wanted - there)
        # a copy sent again of a version from before the poison waits behind it as well
        barred = {subject for subject, _ in wanted}
        yield from (
            f"{service} parked {key}, which is no poison nor behind it"
            for key in there
            if key[0] not in barred
        )
        left = [row for row in healed.listeners[service].parked if row["state"] == "parked"]
        if left:
            yield f"{service} has {len(left)} parked after the re-drive: {left[0]['reason']}"


def _unstorable(events: Iterable[Event]) -> set[tuple[str, int]]:
    found = set()
    for event in events:
        if event.topic == "registry.households":
            state = orjson.loads(event.data)
            if state["rigid_expenses"]["other"] == POISON:
                found.add((event.subject, event.version))
    return found


def path_recovers(recoveries: Sequence[Recovery]) -> Iterator[str]:
    """F: after every fault the path flows again in time."""
    for each in recoveries:
        if not each.in_time:
            yield f"{each.fault} ({each.of}): {each.seconds} s, {each.within} s at most"


def shown(problems: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The first few of each check, for a person to read."""
    for letter, found in problems.items():
        for problem in found[:_SHOWN]:
            yield f"{letter}: {problem}"
        if len(found) > _SHOWN:
            yield f"{letter}: … and {len(found) - _SHOWN} more"
