"""Events of the other services as the registry hears them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.contracts.assistance import (
    Assistance,
    AssistanceEvent,
    AssistanceStatus,
    Guarantee,
    GuaranteeKind,
    Hardship,
)
from shared.contracts.envelope import Envelope, Payload
from shared.contracts.notices import Notice, NoticeEvent, NoticeStatus
from shared.contracts.relief import STANDARD_CHANGED, Standard
from shared.identity import new_id

VILLAGE = "331124002221"
LINE = "1150.00"


def aid_event(version: int = 1, **given: Any) -> Envelope:
    """A measure as relief publishes it: dibao of February, 300 yuan, paid."""
    known: dict[str, Any] = {
        "assistance_id": new_id(),
        "programme": "dibao",
        "status": AssistanceStatus.PAID,
        "amount": Decimal("300.00"),
        "fund": "dibao",
        "month": date(2026, 2, 1),
        "granted_on": date(2026, 2, 8),
    }
    aid = Assistance(**(known | given))
    return envelope(AssistanceEvent.ASSISTED, "/relief", aid.assistance_id, aid, version)


def guarantee_event(version: int = 1, *, source: str = "/housing", **given: Any) -> Envelope:
    """A guarantee as a service publishes it: a house that is safe."""
    known: dict[str, Any] = {
        "guarantee_id": new_id(),
        "kind": GuaranteeKind.HOUSING,
        "met": True,
        "evidence_id": "survey-1",
        "since": date(2026, 2, 1),
    }
    given_one = Guarantee(**(known | given))
    return envelope(
        AssistanceEvent.GUARANTEE_CHANGED, source, given_one.guarantee_id, given_one, version
    )


def notice_event(
    asked: dict[str, Any], version: int = 1, *, posted_on: date | None = None, **given: Any
) -> Envelope:
    """A notice of the request ``asked`` as notify publishes it: posted for seven full days."""
    known: dict[str, Any] = {
        "notice_id": new_id(),
        **{name: asked[name] for name in ("notice_request_id", "household_id", "kind", "episode")},
        "division_code": VILLAGE,
        "status": NoticeStatus.POSTED,
        "posted_on": posted_on,
        "last_day": posted_on + timedelta(days=7) if posted_on else None,
    }
    said = Notice(**(known | given))
    kinds = {
        NoticeStatus.POSTED: NoticeEvent.PUBLISHED,
        NoticeStatus.OBJECTED: NoticeEvent.OBJECTED,
        NoticeStatus.CLOSED: NoticeEvent.CLOSED,
    }
    return envelope(kinds[said.status], "/notify", said.notice_id, said, version)


def standard_event(version: int = 2, **given: Any) -> Envelope:
    """The city's dibao line as relief publishes it."""
    known: dict[str, Any] = {
        "standard_id": new_id(),
        "key": "dibao_line",
        "division_code": "331100",
        "valid_from": date(2024, 1, 1),
        "value": Decimal(LINE),
        "document_number": "sample, not official",
    }
    told = Standard(**(known | given))
    return envelope(STANDARD_CHANGED, "/relief", told.standard_id, told, version)


def hardship_event(*, source: str = "/housing", **given: Any) -> Envelope:
    """A sign of hardship as a service publishes it: a dangerous house."""
    known: dict[str, Any] = {
        "hardship_id": new_id(),
        "kind": "dangerous_house",
        "detected_on": date(2026, 2, 1),
    }
    sign = Hardship(**(known | given))
    return envelope(AssistanceEvent.HARDSHIP_DETECTED, source, sign.hardship_id, sign, 1)


def envelope(kind: str, source: str, subject: UUID, payload: Payload, version: int) -> Envelope:
    """The event that carries a payload of another service."""
    return Envelope(
        id=new_id(),
        source=source,
        type=kind,
        subject=str(subject),
        time=datetime(2026, 2, 8, 4, tzinfo=UTC),
        key=str(getattr(payload, payload.TOPIC_KEY)),
        aggregate_version=version,
        correlation_id=str(new_id()),
        data=payload.model_dump_json().encode(),
    )
