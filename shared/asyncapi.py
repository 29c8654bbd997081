"""The AsyncAPI 3 document of the platform's events, made of the contracts: ``/asyncapi.json``.

Channels are the topics, messages the types with their payloads and CloudEvents headers, operations
who sends and who receives. Every service serves the whole of it; what is added to
``shared/contracts`` is added to ``CARRIED`` here.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse

from shared.contracts import topics
from shared.contracts.assistance import Assistance, AssistanceEvent, Guarantee, Hardship
from shared.contracts.envelope import CONTENT_TYPE, SPEC_VERSION, Payload
from shared.contracts.leads import Lead, LeadEvent
from shared.contracts.notices import NOTICE_REQUESTED, Notice, NoticeEvent, NoticeRequest
from shared.contracts.registry import HouseholdEvent, HouseholdState
from shared.contracts.relief import STANDARD_CHANGED, Standard
from shared.contracts.topics import Topic

PATH = "/asyncapi.json"
_BINDING = "0.5.0"

_Types = Mapping[str, type[Payload]]
_ASSISTANCE: _Types = {
    AssistanceEvent.ASSISTED: Assistance,
    AssistanceEvent.GUARANTEE_CHANGED: Guarantee,
    AssistanceEvent.HARDSHIP_DETECTED: Hardship,
}
CARRIED: Mapping[Topic, _Types] = {
    topics.HOUSEHOLDS: dict.fromkeys(HouseholdEvent, HouseholdState),
    topics.STANDARDS: {STANDARD_CHANGED: Standard},
    **dict.fromkeys(topics.ASSISTANCE, _ASSISTANCE),
    topics.REGISTRY_NOTICES: {NOTICE_REQUESTED: NoticeRequest},
    topics.REGISTRY_LEADS: dict.fromkeys(LeadEvent, Lead),
    topics.RELIEF_NOTICES: {NOTICE_REQUESTED: NoticeRequest},
    topics.NOTICES: dict.fromkeys(NoticeEvent, Notice),
}
"""Every topic with the types that travel on it and what each carries."""


def router() -> APIRouter:
    """The one route; like /openapi.json it needs no token and is not part of the API's paths."""
    made = APIRouter(include_in_schema=False)

    @made.get(PATH)
    async def asyncapi() -> JSONResponse:
        return JSONResponse(document())

    return made


@lru_cache
def document() -> dict[str, Any]:
    """The whole document. It is kept: do not change what this returns."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bangfu events",
            "version": "1",
            "description": (
                "CloudEvents 1.0 over Kafka in binary mode. Every event carries the whole state of "
                "one aggregate (ce_subject) with its version: keep the newest, drop what is older, "
                "and twice, late, skipped or replayed is all the same. Codes, dates and amounts; "
                "never a name, ID number, phone or account."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic, types) for topic, types in CARRIED.items()},
        "operations": dict(
            operation for topic, types in CARRIED.items() for operation in _operations(topic, types)
        ),
        "components": {
            "messages": {
                name: _message(name, payload)
                for types in CARRIED.values()
                for name, payload in types.items()
            },
            "messageTraits": {"cloudEvent": {"headers": _HEADERS}},
            "schemas": _schemas(),
        },
    }


def _channel(topic: Topic, types: _Types) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer}, read by {', '.join(topic.listeners)}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in types},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "retention.ms": int(topic.retention.total_seconds() * 1000),
                    "cleanup.policy": ["delete"],
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(topic: Topic, types: _Types) -> list[tuple[str, dict[str, Any]]]:
    heard = [(topic.writer, "send"), *((name, "receive") for name in topic.listeners)]
    return [
        (
            f"{service}.{action}.{topic.name}",
            {
                "action": action,
                "title": f"{service}: {action} {topic.name}",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "tags": [{"name": service}],
                "messages": [
                    {"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in types
                ],
            },
        )
        for service, action in heard
    ]


def _message(name: str, payload: type[Payload]) -> dict[str, Any]:
    return {
        "name": name,
        "title": f"{payload.__name__} ({name.split('.')[2]})",
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{payload.__name__}"},
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"The payload's {payload.TOPIC_KEY}."},
                "bindingVersion": _BINDING,
            }
        },
    }


def _schemas() -> dict[str, Any]:
    """The payloads' JSON schemas as they are sent: amounts are strings."""
    payloads = {payload for types in CARRIED.values() for payload in types.values()}
    _, made = models_json_schema(
        [(payload, "serialization") for payload in sorted(payloads, key=lambda one: one.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = made["$defs"]
    return schemas


def _text(description: str, **more: str) -> dict[str, str]:
    return {"type": "string", "description": description, **more}


_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": [
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "ce_aggregateversion",
        "ce_correlationid",
    ],
    "properties": {
        "content-type": {"type": "string", "const": CONTENT_TYPE},
        "ce_specversion": {"type": "string", "const": SPEC_VERSION},
        "ce_id": _text("This event's own id.", format="uuid"),
        "ce_source": _text("The service that wrote it, like /registry."),
        "ce_type": _text("The type with its version, like bangfu.household.changed.v1."),
        "ce_subject": _text("The aggregate's id."),
        "ce_time": _text("When it was written, in UTC.", format="date-time"),
        "ce_aggregateversion": _text("The aggregate's version, rising.", pattern="^[0-9]+$"),
        "ce_correlationid": _text("The request or job that it goes back to."),
        "ce_causationid": _text("The event that it answers, where there is one."),
        "ce_episode": _text("The household's episode, where it has one.", pattern="^[0-9]+$"),
        "ce_ruleset": _text("The law that it was decided under."),
        "ce_effectivefrom": _text("The day from which it holds.", format="date"),
        "traceparent": _text("The W3C trace that it belongs to."),
    },
}
