"""What lies in Kafka for the consumers: first copies in order, older ones again and again."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from uuid import UUID

from aiokafka import TopicPartition

from shared.contracts.envelope import Envelope, Headers
from shared.contracts.topics import Topic
from shared.producer import Place
from tests.bus.schedules.schedule import Schedule

TOPIC = Topic("notes", writer="registry", listeners=("housing",), partitions=3)
CHANGED = "bangfu.note.changed.v1"
SOURCE = "/registry"
WRITTEN_AT = datetime(2026, 11, 24, tzinfo=UTC)


class Kind(Enum):
    """What a record is to the listener."""

    GOOD = auto()
    POISON = auto()
    BROKEN = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a partition, as aiokafka gives it, and what we know of it besides."""

    offset: int
    key: bytes
    value: bytes
    headers: Headers
    aggregate: tuple[str, str]
    version: int
    kind: Kind


class History:
    """The partitions of the topic, which grow as at-least-once delivery lets them grow."""

    def __init__(self, schedule: Schedule) -> None:
        self.topic_id = UUID(int=1)
        self._schedule = schedule
        self._poisonous = schedule.random.random() < 0.5
        self._versions: dict[str, int] = defaultdict(int)
        self._names = [f"a{number}" for number in range(schedule.random.randint(1, 8))]
        self.logs: dict[TopicPartition, list[Record]] = {
            TopicPartition(TOPIC.name, number): [] for number in range(TOPIC.partitions)
        }

    def at(self, place: Place, offset: int) -> Record:
        """The record at this offset."""
        return self.logs[TopicPartition(*place)][offset]

    @property
    def newest(self) -> dict[tuple[str, str], int]:
        """The newest good version of every aggregate that has one."""
        found: dict[tuple[str, str], int] = {}
        for log in self.logs.values():
            for record in log:
                if record.kind is Kind.GOOD:
                    known = found.get(record.aggregate, 0)
                    found[record.aggregate] = max(known, record.version)
        return found

    def grow(self) -> None:
        """A few new records of one partition, or some of its last ones once more."""
        chance = self._schedule.random
        if not self._poisonous and self._schedule.strikes("made anew"):
            self._make_anew()
        name = chance.choice(self._names)
        partition = TopicPartition(TOPIC.name, sum(name.encode()) % TOPIC.partitions)
        log = self.logs[partition]
        if log and self._schedule.strikes("sent twice"):
            for again in log[-chance.randint(1, 6) :]:
                self._append(log, again.aggregate[1], again.version, again.kind)
            return
        for _ in range(chance.randint(1, 3)):
            kind = self._kind()
            if kind is Kind.GOOD or kind is Kind.POISON:
                self._versions[name] += 1
            self._append(log, name, self._versions[name], kind)

    def _make_anew(self) -> None:
        """The topic is deleted and made again, and its writer sends its history once more.

        Some of it: whoever reads must get every aggregate's newest state, not every one.
        """
        self.topic_id = UUID(int=self.topic_id.int + 1)
        for log in self.logs.values():
            old, log[:] = log[:], []
            for record in old:
                newest = record.version == self._versions[record.aggregate[1]]
                if newest or self._schedule.random.random() < 0.7:
                    self._append(log, record.aggregate[1], record.version, record.kind)

    def _kind(self) -> Kind:
        if not self._poisonous or self._schedule.random.random() > 0.1:
            return Kind.GOOD
        return self._schedule.random.choice(list(Kind))

    def _append(self, log: list[Record], name: str, version: int, kind: Kind) -> None:
        envelope = Envelope(
            id=UUID(int=len(log)),
            source=SOURCE,
            type="bangfu.note.unknown.v9" if kind is Kind.UNKNOWN else CHANGED,
            subject=name,
            time=WRITTEN_AT,
            key=name,
            aggregate_version=version,
            correlation_id="none",
            data=kind.name.encode(),
        )
        headers = [] if kind is Kind.BROKEN else envelope.headers()
        offset, key = len(log), name.encode()
        log.append(Record(offset, key, envelope.data, headers, (SOURCE, name), version, kind))
