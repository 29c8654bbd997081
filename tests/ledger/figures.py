"""The figures of a run: what was done, how old events were when applied, what memory it took."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.ledger.evidence import Evidence
from tests.ledger.journal import Entry
from tests.ledger.nemesis import Recovery
from tests.ledger.stack import SERVICES


def ages(evidence: Evidence, service: str) -> list[tuple[datetime, float]]:
    """For every household event when it was recorded and after how many seconds it, or a newer
    version, was in this listener's copy.
    """
    taken: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for seen in evidence.listeners[service].seen:
        if seen.place == "household_copy":
            taken[seen.subject].append((seen.version, seen.at))
    found = []
    for event in evidence.events["registry"]:
        if event.topic != "registry.households" or not event.operation.startswith("op-"):
            continue  # the county itself came in before anybody watched
        rows = taken.get(event.subject, [])
        at = bisect_left(rows, event.version, key=lambda row: row[0])
        if at < len(rows):
            found.append((event.at, (rows[at][1] - event.at).total_seconds()))
    return found


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of all does not exceed; 0 where there are none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else 0.0


def told(
    journal: Mapping[str, Entry], evidence: Evidence, recoveries: Sequence[Recovery]
) -> dict[str, Any]:
    """What goes into the line of figures beside the verdict."""
    operations = Counter(entry.outcome for entry in journal.values())
    events = sum(len(evidence.events[service]) for service in SERVICES)
    by_fault: dict[str, list[float]] = defaultdict(list)
    for each in recoveries:
        by_fault[each.fault].append(each.seconds)
    seconds = {service: [age for _, age in ages(evidence, service)] for service in SERVICES[1:]}
    return {
        "operations": dict(operations),
        "aborted": sum(entry.operation.aborts for entry in journal.values()),
        "poisoned": sum(entry.operation.poison for entry in journal.values()),
        "events": events,
        "records": len(evidence.copies),
        "repeated": len(evidence.copies) - events,
        "payments": len(evidence.rows["relief.payments"]),
        "faults": sum(len(found) for found in by_fault.values()),
        "recovered_after": {name: max(found) for name, found in sorted(by_fault.items())},
        "age_p50": {name: quantile(found, 0.5) for name, found in seconds.items()},
        "age_p99": {name: quantile(found, 0.99) for name, found in seconds.items()},
        "age_max": {name: quantile(found, 1.0) for name, found in seconds.items()},
    }
