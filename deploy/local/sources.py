"""The reference sources of development: sixteen registers that know made-up things of anybody.

What a source says of a person, and how, follows from the person's number alone: at once, after
minutes, with next month's file, and sometimes wrongly, as real sources do. It listens on 127.0.0.1
and keeps what it was asked in memory; nothing here is known of real people.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel

from shared import clock

SOURCES = (
    "hukou",
    "vehicle",
    "real_estate",
    "business",
    "tax",
    "social_insurance",
    "pension",
    "bank",
    "securities",
    "death",
    "marriage",
    "justice",
    "disability",
    "enrolment",
    "medical",
    "living_costs",
)
_ONE_IN = {"death": 128, "justice": 64}
DELAY = timedelta(minutes=2)
"""How long a source takes that does not answer at once."""


class Way(StrEnum):
    """How a source answers about one person."""

    AT_ONCE = "at_once"
    LATER = "later"
    BY_FILE = "by_file"
    ANOTHER_PERSON = "another_person"
    NEGATIVE = "negative"
    FUTURE = "future"


_WAYS = (
    *(Way.AT_ONCE,) * 22,
    *(Way.LATER,) * 5,
    *(Way.BY_FILE,) * 2,
    Way.ANOTHER_PERSON,
    Way.NEGATIVE,
    Way.FUTURE,
)


class Query(BaseModel):
    """One question."""

    case_number: str
    reference: str
    id_number: str


class Queries(BaseModel):
    """Questions to one source."""

    queries: list[Query]


class Reference(BaseModel):
    """A question by what names it."""

    case_number: str
    reference: str


class References(BaseModel):
    """Questions whose answers are wanted."""

    asked: list[Reference]


@dataclass(frozen=True)
class Taken:
    """A question that was taken, and when."""

    query: Query
    at: datetime


Memory = dict[tuple[str, str, str], Taken]


def create() -> FastAPI:
    """The sources' app; BANGFU_CLOCK_FILE lets them live in the platform's time."""
    if file := os.environ.get("BANGFU_CLOCK_FILE"):
        clock.configure(Path(file), "development")
    app = FastAPI(title="Bangfu reference sources", version="1")
    memory: Memory = {}
    app.state.memory = memory
    app.get("/readyz")(lambda: {"status": "ready"})

    @app.post("/v1/sources/{source}/queries", status_code=202)
    async def take(source: str, body: Queries) -> dict[str, int]:
        _known(source)
        for query in body.queries:
            key = (source, query.case_number, query.reference)
            memory.setdefault(key, Taken(query, clock.now()))
        return {"accepted": len(body.queries)}

    @app.post("/v1/sources/{source}/answers")
    async def answer(source: str, body: References) -> dict[str, Any]:
        _known(source)
        found = (memory.get((source, one.case_number, one.reference)) for one in body.asked)
        return {"answers": [said(source, taken) for taken in found if taken]}

    @app.get("/v1/sources/{source}/file")
    async def monthly_file(source: str) -> Response:
        """What the source answers by file, as NDJSON for ``POST /v1/verification-files``."""
        _known(source)
        lines = b"".join(orjson.dumps(line) + b"\n" for line in _file(source, memory))
        return Response(lines, media_type="application/x-ndjson")

    return app


def way_of(source: str, id_number: str) -> Way:
    """How this source answers about this person; always the same."""
    return _WAYS[digest(source, id_number)[0] % len(_WAYS)]


def finds(source: str, id_number: str) -> bool:
    """Whether this source knows anything of this person; few are dead or in prison."""
    return digest(source, id_number)[1] % _ONE_IN.get(source, 8) == 0


def said(source: str, taken: Taken) -> dict[str, Any]:
    """What the source says of a question by now."""
    way = way_of(source, taken.query.id_number)
    if way is Way.BY_FILE:
        return _reply(taken, status="by_file")
    if way is Way.LATER and clock.now() < taken.at + DELAY:
        return _reply(taken, status="pending")
    if way is Way.ANOTHER_PERSON:
        return _known_of(source, taken) | {"id_number": "33110219900307001X"}
    if way is Way.NEGATIVE:
        return _reply(taken, status="answered", data=_negative(source))
    if way is Way.FUTURE:
        return _reply(taken, status="answered", data=_future(source))
    return _known_of(source, taken)


def _known_of(source: str, taken: Taken) -> dict[str, Any]:
    if not finds(source, taken.query.id_number):
        return _reply(taken, status="nothing_found")
    data = found_of(source, digest(source, taken.query.id_number), clock.today())
    return _reply(taken, status="answered", data=data)


def _reply(taken: Taken, **more: Any) -> dict[str, Any]:
    query = taken.query
    named = {"case_number": query.case_number, "reference": query.reference}
    return named | {"id_number": query.id_number} | more


def _file(source: str, memory: Memory) -> Iterator[dict[str, Any]]:
    for (asked, _, _), taken in memory.items():
        if asked == source and way_of(source, taken.query.id_number) is Way.BY_FILE:
            line = _known_of(source, taken)
            yield {name: value for name, value in line.items() if name != "reference"}


def found_of(source: str, digest: bytes, today: date) -> dict[str, Any]:
    """Something that this source knows of somebody, in the shape of its answers."""
    some, long_ago = digest[2], today - timedelta(days=400 + digest[3])
    yuan = f"{100 * (1 + some)}.00"
    known: dict[str, dict[str, Any]] = {
        "hukou": {"household_no": f"H{some:03}", "address": "松阳县", "members": []},
        "vehicle": {"vehicles": [{"plate": f"浙K{some:05}", "use": "private", "status": "in_use"}]},
        "real_estate": {
            "properties": [
                {"certificate_no": f"C{some:05}", "use": "dwelling", "acquired_on": "2010-05-01"}
            ]
        },
        "business": {
            "businesses": [
                {"uscc": f"U{some}", "capital": yuan, "role": "legal_person", "active": True}
            ]
        },
        "tax": {
            "payments": [
                {
                    "month_from": long_ago.replace(day=1).isoformat(),
                    "month_to": long_ago.replace(day=1).isoformat(),
                    "amount": yuan,
                }
            ]
        },
        "social_insurance": {"contributions": [{"unit": "某厂", "base": yuan, "months": 12}]},
        "pension": {"pensions": [{"kind": "pension", "monthly": f"{some}.00"}]},
        "bank": {"over_limit": some % 2 == 0},
        "securities": {"holdings": [{"custodian": "某证券", "value": yuan}]},
        "death": {"died_on": long_ago.isoformat()},
        "marriage": {"type": "divorced", "registered_on": long_ago.isoformat()},
        "justice": {"terms": [{"kind": "prison", "from_on": "2015-03-01", "to_on": "2018-03-01"}]},
        "disability": {"kind": "limb", "grade": 1 + some % 4},
        "enrolment": {"school": "松阳县某小学", "stage": "primary"},
        "medical": {"total": yuan, "pooled": "0.00", "cash": yuan},
        "living_costs": {"utilities": yuan, "travel": "0.00", "school_fees": "0.00"},
    }
    return known[source]


def _negative(source: str) -> dict[str, Any]:
    """Money below nothing, for the sources whose answers hold any."""
    return _WRONG_MONEY.get(source) or found_of(source, bytes(4), date(2020, 1, 1))


_WRONG_MONEY: dict[str, dict[str, Any]] = {
    "tax": {
        "payments": [{"month_from": "2020-01-01", "month_to": "2020-01-01", "amount": "-1.00"}]
    },
    "business": {
        "businesses": [{"uscc": "U", "capital": "-1.00", "role": "shareholder", "active": True}]
    },
    "social_insurance": {"contributions": [{"base": "-1.00", "months": 12}]},
    "pension": {"pensions": [{"kind": "pension", "monthly": "-1.00"}]},
    "securities": {"holdings": [{"value": "-1.00"}]},
    "medical": {"total": "-1.00", "cash": "0.00"},
    "living_costs": {"utilities": "-1.00"},
}


def _future(source: str) -> dict[str, Any]:
    """A day that has not come, for the sources whose answers hold days."""
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    wrong: dict[str, dict[str, Any]] = {
        "death": {"died_on": tomorrow},
        "hukou": {"cancelled_on": tomorrow},
        "marriage": {"type": "married", "registered_on": tomorrow},
        "justice": {"terms": [{"kind": "prison", "from_on": tomorrow}]},
        "vehicle": {"vehicles": [{"plate": "浙K1", "status": "in_use", "registered_on": tomorrow}]},
    }
    return wrong.get(source, found_of(source, bytes(4), date(2020, 1, 1)))


def _known(source: str) -> None:
    if source not in SOURCES:
        raise HTTPException(404, f"no source {source}")


def digest(source: str, id_number: str) -> bytes:
    """What everything that a source says of a person follows from."""
    return hashlib.sha256(f"{source}:{id_number}".encode()).digest()
