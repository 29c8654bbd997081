"""How a partner pushes households (C3, C61): JSON lines, each with a verdict of its own."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request
from pydantic import BaseModel

from services.registry.exchange import actions, rules
from services.registry.households.facts import Result
from shared import api, clock
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import TooLarge

routes = api.router("/v1/exchange/batches", tags=["exchange"])
Partner = Annotated[Caller, requires("registry.exchange:write")]
Batch = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
_MOST_BYTES = 4_000_000
_BODY = {
    "required": True,
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
}


class LineFault(BaseModel):
    """What is wrong with a line, where in its JSON, in words for an officer."""

    where: str
    code: str
    message: str


class LineVerdict(BaseModel):
    """What became of a line; ``at`` counts the lines of the body from 1."""

    at: int
    line: int | None
    verdict: Result
    repeated: bool
    household_id: UUID | None
    faults: list[LineFault]


class Verdicts(BaseModel):
    """The verdicts in the order of the lines, and how many there are of each."""

    batch: str
    counts: dict[Result, int]
    lines: list[LineVerdict]


@routes.post(
    "/{batch}",
    summary="Households as a partner holds them, one JSON object a line; each line counts once",
    openapi_extra={api.MAX_BODY: _MOST_BYTES, "requestBody": _BODY},
)
async def push_batch(
    session: SessionDep, caller: Partner, batch: Batch, request: Request
) -> Verdicts:
    raw = [line for line in (await request.body()).splitlines() if line.strip()]
    if len(raw) > rules.MOST_LINES:
        raise TooLarge("batch_too_long", f"send at most {rules.MOST_LINES} lines at once")
    today = clock.today()
    lines = [rules.read_line(at, line, on=today) for at, line in enumerate(raw, start=1)]
    verdicts = await actions.take_in(session, caller, batch, lines)
    counts = {result: sum(each.verdict == result.value for each in verdicts) for result in Result}
    return Verdicts(batch=batch, counts=counts, lines=[_shown(each) for each in verdicts])


def _shown(verdict: actions.Verdict) -> LineVerdict:
    faults = [
        LineFault(where=each.where, code=each.code, message=each.message) for each in verdict.faults
    ]
    return LineVerdict(
        at=verdict.at,
        line=verdict.line,
        verdict=Result(verdict.verdict),
        repeated=verdict.repeated,
        household_id=verdict.household_id,
        faults=faults,
    )
