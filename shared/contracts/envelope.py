"""The envelope of every event: CloudEvents 1.0 in the binary mode of its Kafka binding.

An event carries the whole state of one aggregate with its id and version. The guard of every
listener is (source, subject): a copy older than what is stored is dropped, a newer one replaces it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
MOST_BIGINT = 2**63 - 1

Headers = list[tuple[str, bytes]]

_CONTENT_TYPE = ("content-type", CONTENT_TYPE.encode())
_SPEC_VERSION = ("ce_specversion", SPEC_VERSION.encode())


class BrokenEnvelopeError(ValueError):
    """A Kafka record is not one of our events: says which header is missing or unreadable."""


class Payload(BaseModel):
    """What an event carries. Readers ignore unknown fields, so that fields may be added."""

    # ids and amounts hardly repeat: pydantic's cache of strings would cost a quarter of the reading
    model_config = ConfigDict(frozen=True, extra="ignore", cache_strings="none")

    TOPIC_KEY: ClassVar[str]
    """The field whose text is the Kafka key (household id; county code for standards)."""


class Envelope(NamedTuple):
    """One event as it stands in the history, in Kafka and in a listener's hands.

    ``source`` is ``/registry`` and the like, ``subject`` the aggregate's id, ``key`` the Kafka key,
    ``data`` the payload's JSON, byte for byte the same in all three places. A tuple, for relay and
    consumer make one for every event they carry; name the fields all the same.
    """

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    key: str
    aggregate_version: int
    correlation_id: str
    data: bytes
    causation_id: str | None = None
    episode: int | None = None
    rule_set: str | None = None
    effective_from: date | None = None
    traceparent: str | None = None

    def headers(self) -> Headers:
        """The Kafka headers of this event, in a fixed order; optional ones only where set."""
        named: Headers = [
            _CONTENT_TYPE,
            _SPEC_VERSION,
            ("ce_id", str(self.id).encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("ce_aggregateversion", b"%d" % self.aggregate_version),
            ("ce_correlationid", self.correlation_id.encode()),
        ]
        if self.causation_id is not None:
            named.append(("ce_causationid", self.causation_id.encode()))
        if self.episode is not None:
            named.append(("ce_episode", b"%d" % self.episode))
        if self.rule_set is not None:
            named.append(("ce_ruleset", self.rule_set.encode()))
        if self.effective_from is not None:
            named.append(("ce_effectivefrom", self.effective_from.isoformat().encode()))
        if self.traceparent is not None:
            named.append(("traceparent", self.traceparent.encode()))
        return named

    @classmethod
    def from_record(
        cls, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
    ) -> Self:
        """Read a Kafka record back. Raises BrokenEnvelopeError naming what is wrong."""
        if key is None or value is None:
            raise BrokenEnvelopeError("the record has no key or no value")
        try:
            found = {name: text.decode() for name, text in headers if text is not None}
            return cls._from_headers(key.decode(), value, found)
        except KeyError as missing:
            raise BrokenEnvelopeError(f"the header {missing.args[0]} is missing") from missing
        except ValueError as unreadable:
            raise BrokenEnvelopeError(f"a header cannot be read: {unreadable}") from unreadable

    @classmethod
    def _from_headers(cls, key: str, value: bytes, found: dict[str, str]) -> Self:
        if found["ce_specversion"] != SPEC_VERSION:
            raise ValueError(f"ce_specversion is {found['ce_specversion']!r}, not {SPEC_VERSION}")
        if "\0" in key or any("\0" in text for text in found.values()):
            raise ValueError("a NUL stands in it, which no database stores")
        version = int(found["ce_aggregateversion"])
        if not 0 <= version <= MOST_BIGINT:
            raise ValueError("ce_aggregateversion is out of range")
        effective_from = found.get("ce_effectivefrom")
        return cls(
            id=UUID(found["ce_id"]),
            source=found["ce_source"],
            type=found["ce_type"],
            subject=found["ce_subject"],
            time=datetime.fromisoformat(found["ce_time"]),
            key=key,
            aggregate_version=version,
            correlation_id=found["ce_correlationid"],
            data=value,
            causation_id=found.get("ce_causationid"),
            episode=int(found["ce_episode"]) if "ce_episode" in found else None,
            rule_set=found.get("ce_ruleset"),
            effective_from=date.fromisoformat(effective_from) if effective_from else None,
            traceparent=found.get("traceparent"),
        )
