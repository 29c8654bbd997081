"""What crosses service boundaries stays readable: every event type against its stored sample."""

import hashlib
import json
import re

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared.contracts.envelope import BrokenEnvelopeError, Envelope
from tests.contracts.sample_events import FOLDER, PAYLOADS, load

TYPES = sorted(PAYLOADS)


def test_samples_are_never_edited() -> None:
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    sums = {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.iterdir()
        if path.suffix in {".headers", ".json"}
    }
    assert found == sums


def test_every_type_has_its_sample_and_every_sample_its_type() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(TYPES)


@pytest.mark.parametrize("event_type", TYPES)
def test_our_reader_gives_back_the_same_headers(event_type: str) -> None:
    sample = load(event_type)
    assert sample.envelope.type == event_type
    assert sample.envelope.headers() == sample.headers


@pytest.mark.parametrize("event_type", TYPES)
def test_an_independent_cloudevents_reader_agrees(event_type: str) -> None:
    sample = load(event_type)
    event = from_binary(
        KafkaMessage(headers=dict(sample.headers), key=sample.key, value=sample.value), JSONFormat()
    )
    ours = sample.envelope
    assert event.get_id() == str(ours.id)
    assert event.get_type() == event_type
    assert event.get_source() == ours.source
    assert event.get_subject() == ours.subject
    assert event.get_time() == ours.time
    assert event.get_data() == json.loads(sample.value)
    assert event.get_extension("aggregateversion") == str(ours.aggregate_version)
    assert event.get_extension("correlationid") == ours.correlation_id


@pytest.mark.parametrize("event_type", TYPES)
def test_a_publisher_of_today_would_send_all_of_it(event_type: str) -> None:
    """Both sides: every field that the sample has is read and would be sent again as it stands."""
    value = load(event_type).value
    today = PAYLOADS[event_type].model_validate_json(value).model_dump_json()
    assert_holds(json.loads(today), json.loads(value))


def assert_holds(today: object, sample: object) -> None:
    """``today`` has all that ``sample`` has, in its order; fields may have been added to it."""
    if isinstance(sample, dict):
        assert isinstance(today, dict)
        for name, value in sample.items():
            assert_holds(today.get(name, "missing"), value)
    elif isinstance(sample, list):
        assert isinstance(today, list)
        assert len(today) == len(sample)
        for one, other in zip(today, sample, strict=True):
            assert_holds(one, other)
    else:
        assert today == sample


@pytest.mark.parametrize("event_type", TYPES)
def test_the_kafka_key_is_the_named_field(event_type: str) -> None:
    sample = load(event_type)
    payload = PAYLOADS[event_type]
    assert str(json.loads(sample.value)[payload.TOPIC_KEY]).encode() == sample.key


@pytest.mark.parametrize("event_type", TYPES)
def test_a_field_of_a_later_publisher_is_ignored(event_type: str) -> None:
    today = load(event_type).value
    later = json.loads(today) | {"added_later": {"anything": 1}}
    payload = PAYLOADS[event_type]
    assert payload.model_validate(later) == payload.model_validate_json(today)


def test_no_contract_names_a_personal_identifier() -> None:
    forbidden = re.compile(r"(^|_)(name|id_number|phone|account|address)($|_)")
    for payload in set(PAYLOADS.values()):
        fields = json.dumps(payload.model_json_schema()["properties"])
        names = set(json.loads(fields))
        assert not {name for name in names if forbidden.search(name)}, payload.__name__


REQUIRED = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_subject",
    "ce_time",
    "ce_aggregateversion",
    "ce_correlationid",
)


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_header_is_named(missing: str) -> None:
    sample = load(TYPES[0])
    rest = [(name, value) for name, value in sample.headers if name != missing]
    with pytest.raises(BrokenEnvelopeError, match=missing):
        Envelope.from_record(sample.key, sample.value, rest)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"not-a-uuid"),
        ("ce_time", b"yesterday"),
        ("ce_aggregateversion", b"one"),
        ("ce_effectivefrom", b"2026-02-30"),
        ("ce_subject", b"\xff\xfe"),
    ],
)
def test_an_unreadable_header_is_refused(header: str, value: bytes) -> None:
    sample = load("bangfu.household.identified.v1")
    changed = [(name, value if name == header else text) for name, text in sample.headers]
    with pytest.raises(BrokenEnvelopeError):
        Envelope.from_record(sample.key, sample.value, changed)


@pytest.mark.parametrize(("key", "value"), [(None, b"{}"), (b"k", None)])
def test_a_record_without_key_or_value_is_refused(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(BrokenEnvelopeError, match="no key or no value"):
        Envelope.from_record(key, value, load(TYPES[0]).headers)
