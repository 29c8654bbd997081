"""Every check of the ledger on a small whole story, and on that story with one thing wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from shared.contracts.assistance import AssistanceEvent
from shared.contracts.registry import HouseholdEvent, HouseholdState
from shared.identity import new_id
from tests.ledger.checks import all_problems
from tests.ledger.evidence import Copy, Event, Evidence, Listener, Seen
from tests.ledger.journal import Entry, Operation, Outcome
from tests.ledger.nemesis import Recovery
from tests.ledger.stack import SERVICES
from tests.ledger.witness import POISON
from tests.support.builders import household

ANSWERS: tuple[tuple[str, str, bool, Outcome, int, int], ...] = (
    ("op-1", "change", False, "acknowledged", 200, 2),
    ("op-2", "change", False, "acknowledged", 200, 2),
    ("op-3", "run", False, "acknowledged", 202, 0),
    ("abort-4", "change", True, "refused", 500, 0),
    ("op-5", "change", False, "unknown", 412, 0),
)
"""Operation, kind, whether it aborts, outcome, status, version."""
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


def event(topic: str, kind: str, subject: str, version: int, *, data: bytes, op: str) -> Event:
    """One event of ``registry`` or ``relief``."""
    source = "/" + topic.split(".", maxsplit=1)[0]
    digest = sha256(data).digest()
    return Event(topic, kind, source, subject, version, digest, op, NOW, data)


class Story:
    """Two households, one poisoned in its second version; one payment; one of each answer."""

    def __init__(self) -> None:
        self.well, self.ill = household(), household()
        poisoned = self.ill.model_copy(
            update={"rigid_expenses": self.ill.rigid_expenses.model_copy(update=_OTHER)}
        )
        self.states = {str(self.well.household_id): self.well, str(self.ill.household_id): poisoned}
        topic, changed = "registry.households", HouseholdEvent.CHANGED
        households = [
            _told(topic, HouseholdEvent.IDENTIFIED, self.well, 1, "roster"),
            _told(topic, HouseholdEvent.IDENTIFIED, self.ill, 1, "roster"),
            _told(topic, changed, self.well, 2, "op-1"),
            _told(topic, changed, poisoned, 2, "op-2"),
        ]
        self.payment = str(new_id())
        paid = event(
            "relief.assistance", AssistanceEvent.ASSISTED, self.payment, 1, data=b"{}", op="op-3"
        )
        self.poisoned, self.healed = Evidence(), Evidence()
        for evidence in (self.poisoned, self.healed):
            evidence.events = {"registry": list(households), "relief": [paid], "notify": []}
            evidence.outbox = dict.fromkeys(SERVICES, 0)
            evidence.copies = [
                Copy(one.topic, 3, offset, one.source, one.subject, one.version, one.digest)
                for offset, one in enumerate([*households, paid])
            ]
            evidence.listeners = {service: _listener(evidence, service) for service in SERVICES}
            evidence.rows = self._rows()
        ill = str(self.ill.household_id)
        parked = {"source": "/registry", "aggregate_id": ill, "aggregate_version": 2}
        self.poisoned.listeners["notify"].parked = [parked | {"state": "parked", "reason": "!"}]
        self.journal: dict[str, Entry] = {
            op: Entry(Operation(op=op, kind=kind, aborts=aborts), outcome, status, version)
            for op, kind, aborts, outcome, status, version in ANSWERS
        }
        self.recoveries = [Recovery(fault="kill api", of="one", seconds=1.0, within=15.0)]
        self.unexpected: list[str] = []

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        money = {"programme": "dibao", "month": date(2026, 11, 1), "amount": Decimal("650.00")}
        money |= {"status": "approved", "version": 1}
        well = self.well.household_id
        copies = [
            {"household_id": state.household_id, "version": 2, "state": state}
            for state in self.states.values()
        ]
        return {
            "registry.households": [
                {"household_id": state.household_id, "version": 2} for state in self.states.values()
            ],
            "registry.income_checks": [],
            "registry.audit_log": [],
            "relief.audit_log": [{"action": "payment_run.ordered", "correlation_id": "op-3"}],
            "registry.aid_ledger": [
                money | {"source": "/relief", "assistance_id": self.payment, "household_id": well}
            ],
            "relief.payments": [money | {"payment_id": self.payment, "payee_household_id": well}],
            "relief.payment_beneficiaries": [],
            "relief.household_copy": [dict(row) for row in copies],
            "notify.household_copy": [dict(row) for row in copies],
        }

    def problems(self) -> set[str]:
        """The letters of the checks that found something."""
        found = all_problems(
            self.journal, self.poisoned, self.healed, self.recoveries, self.unexpected
        )
        return {letter for letter, problems in found.items() if problems}


_OTHER = {"other": Decimal(POISON)}


def _told(topic: str, kind: str, state: HouseholdState, version: int, op: str) -> Event:
    data = state.model_dump_json().encode()
    return event(topic, kind, str(state.household_id), version, data=data, op=op)


def _listener(evidence: Evidence, service: str) -> Listener:
    heard = {"registry": ["relief"], "relief": ["registry"], "notify": ["registry", "relief"]}
    events = [one for source in heard[service] for one in evidence.events[source]]
    return Listener(
        received={(one.source, one.subject): one.version for one in events},
        seen=[Seen("received", one.source, one.subject, one.version, NOW) for one in events],
        went_back=[],
        parked=[],
    )


def test_a_whole_story_is_green() -> None:
    assert Story().problems() == set()


def _lose_an_operation(story: Story) -> None:
    story.journal["op-6"] = Entry(Operation(op="op-6", kind="join"), "acknowledged", 201, 3)


def _never_answer(story: Story) -> None:
    story.journal["op-6"] = Entry(Operation(op="op-6", kind="join"))


def _do_an_order_twice(story: Story) -> None:
    story.healed.rows["relief.audit_log"] *= 2


def _keep_what_was_rolled_back(story: Story) -> None:
    last = story.healed.events["registry"][-1]
    story.healed.events["registry"][-1] = replace(last, operation="abort-4")


def _acknowledge_what_was_rolled_back(story: Story) -> None:
    story.journal["abort-4"].outcome, story.journal["abort-4"].version = "acknowledged", 3


def _publish_without_the_row(story: Story) -> None:
    story.healed.rows["registry.households"][0]["version"] = 1


def _lose_a_record(story: Story) -> None:
    del story.healed.copies[2]


def _change_a_byte(story: Story) -> None:
    story.healed.copies[2] = replace(story.healed.copies[2], digest=b"other")


def _turn_two_records_round(story: Story) -> None:
    copies = story.healed.copies
    copies[0], copies[2] = copies[2], copies[0]


def _send_what_nobody_wrote(story: Story) -> None:
    story.healed.copies.append(replace(story.healed.copies[0], version=9))


def _leave_one_unsent(story: Story) -> None:
    story.healed.outbox["relief"] = 1


def _stay_behind(story: Story) -> None:
    key = next(iter(story.healed.listeners["relief"].received))
    story.healed.listeners["relief"].received[key] = 1


def _take_one_twice(story: Story) -> None:
    seen = story.healed.listeners["notify"].seen
    seen.append(replace(seen[-1], at=NOW + timedelta(seconds=1)))


def _go_back(story: Story) -> None:
    story.healed.listeners["relief"].went_back.append({"old": 2, "new": 1})


def _copy_other_facts(story: Story) -> None:
    row = story.healed.rows["notify.household_copy"][0]
    row["state"] = row["state"].model_copy(update={"n": 9})


def _pay_another_amount(story: Story) -> None:
    story.healed.rows["registry.aid_ledger"][0]["amount"] = Decimal("651.00")


def _pay_a_person_twice(story: Story) -> None:
    row = {"programme": "dibao", "person_id": "p", "month": date(2026, 11, 1)}
    story.healed.rows["relief.payment_beneficiaries"] = [row, dict(row)]


def _pay_nobody(story: Story) -> None:
    story.healed.rows["relief.payments"].clear()
    story.healed.rows["registry.aid_ledger"].clear()


def _park_nothing(story: Story) -> None:
    story.poisoned.listeners["notify"].parked.clear()


def _park_the_well(story: Story) -> None:
    row = story.poisoned.listeners["notify"].parked[0]
    well = str(story.well.household_id)
    story.poisoned.listeners["notify"].parked.append(row | {"aggregate_id": well})


def _leave_one_parked(story: Story) -> None:
    story.healed.listeners["notify"].parked = list(story.poisoned.listeners["notify"].parked)


def _recover_late(story: Story) -> None:
    story.recoveries.append(replace(story.recoveries[0], seconds=15.1))


def _fall(story: Story) -> None:
    story.unexpected.append("relief-worker-1 ended with code 1")


@pytest.mark.parametrize(
    ("spoil", "letter"),
    [
        (_lose_an_operation, "A"),
        (_never_answer, "A"),
        (_do_an_order_twice, "A"),
        (_keep_what_was_rolled_back, "A"),
        (_acknowledge_what_was_rolled_back, "A"),
        (_publish_without_the_row, "A"),
        (_lose_a_record, "B"),
        (_change_a_byte, "B"),
        (_turn_two_records_round, "B"),
        (_send_what_nobody_wrote, "B"),
        (_leave_one_unsent, "B"),
        (_stay_behind, "C"),
        (_take_one_twice, "C"),
        (_go_back, "C"),
        (_copy_other_facts, "C"),
        (_pay_another_amount, "D"),
        (_pay_a_person_twice, "D"),
        (_pay_nobody, "D"),
        (_park_nothing, "E"),
        (_park_the_well, "E"),
        (_leave_one_parked, "E"),
        (_recover_late, "F"),
        (_fall, "F"),
    ],
)
def test_one_thing_wrong_is_named_by_its_check(spoil: Callable[[Story], None], letter: str) -> None:
    story = Story()
    spoil(story)
    assert story.problems() == {letter}
