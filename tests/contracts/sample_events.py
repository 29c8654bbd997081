"""Reads the sample events of tests/contracts/samples as raw Kafka records."""

from dataclasses import dataclass
from pathlib import Path

from shared.contracts.assistance import Assistance, AssistanceEvent, Guarantee, Hardship
from shared.contracts.envelope import Envelope, Headers, Payload
from shared.contracts.leads import Lead, LeadEvent
from shared.contracts.notices import NOTICE_REQUESTED, Notice, NoticeEvent, NoticeRequest
from shared.contracts.registry import HouseholdEvent, HouseholdState
from shared.contracts.relief import STANDARD_CHANGED, Standard

FOLDER = Path(__file__).parent / "samples"

PAYLOADS: dict[str, type[Payload]] = {
    **{str(event_type): HouseholdState for event_type in HouseholdEvent},
    str(AssistanceEvent.ASSISTED): Assistance,
    str(AssistanceEvent.GUARANTEE_CHANGED): Guarantee,
    str(AssistanceEvent.HARDSHIP_DETECTED): Hardship,
    STANDARD_CHANGED: Standard,
    NOTICE_REQUESTED: NoticeRequest,
    **{str(event_type): Lead for event_type in LeadEvent},
    **{str(event_type): Notice for event_type in NoticeEvent},
}
"""Every event type of the platform and the payload that it carries."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One stored event: exactly what a broker handed out."""

    key: bytes
    value: bytes
    headers: Headers

    @property
    def envelope(self) -> Envelope:
        """The sample as our own consumer reads it."""
        return Envelope.from_record(self.key, self.value, self.headers)


def load(event_type: str) -> Sample:
    """The sample of one type. Raises FileNotFoundError where a type has none."""
    lines = (FOLDER / f"{event_type}.headers").read_bytes().splitlines()
    pairs = [line.split(b": ", 1) for line in lines]
    (_, key), *headers = pairs
    return Sample(
        key=key,
        value=(FOLDER / f"{event_type}.json").read_bytes(),
        headers=[(name.decode(), value) for name, value in headers],
    )
