"""How to decide on a household: identify, refuse, lift, exit, return, close (policy section 5)."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.facts import LeaveReason
from services.registry.households.writing import Written
from services.registry.lifecycle import actions
from services.registry.lifecycle.rules import Move, Ruling
from shared import api
from shared.auth import Caller, requires
from shared.contracts.registry import Category, Episode, RuleSet, State
from shared.db import SessionDep

routes = api.router("/v1/households/{household_id}", tags=["life cycle"])
Decider = Annotated[Caller, requires("registry.households:decide")]

Reason = Annotated[str, Field(max_length=2000)]
Evidence = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class _Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decided_on: date
    reason: Reason = ""


class Identification(_Decision):
    """``missing_evidence`` lists by code the papers that are still to come."""

    category: Category | None = None
    tags: tuple[Category, ...] | None = None
    missing_evidence: Annotated[tuple[Evidence, ...], Field(max_length=50)] = ()


class Lift(_Decision):
    """``keep_policy_until`` is the last day on which kept measures run."""

    keep_policy_until: date | None = None


class Return(_Decision):
    """Without a category the household returns in the one it had.

    ``return_check_id`` names the return check it rests on, if one is open; all open ones end.
    """

    category: Category | None = None
    tags: tuple[Category, ...] | None = None
    return_check_id: UUID | None = None


class Closing(_Decision):
    """``ground`` says what became of the members who still stood in the file."""

    ground: Literal["died", "moved_out"]


class Decided(BaseModel):
    """The file after the decision."""

    household_id: UUID
    state: State
    category: Category | None
    rule_set: RuleSet | None
    version: int
    revision: int
    episodes: tuple[Episode, ...]


async def _decide(
    session: SessionDep, caller: Caller, household_id: UUID, ruling: Ruling, answer: Response
) -> Decided:
    written = await actions.decide(session, caller, household_id, ruling)
    answer.headers["ETag"] = api.etag(written.revision)
    return _decided(written)


def _decided(written: Written) -> Decided:
    facts = written.facts
    return Decided(
        household_id=written.revised.file.household_id,
        state=facts.state,
        category=facts.category,
        rule_set=facts.rule_set,
        version=written.version,
        revision=written.revision,
        episodes=facts.episodes,
    )


@routes.post("/identify", summary="Identify an accepted household")
async def identify(
    session: SessionDep, caller: Decider, household_id: UUID, body: Identification, answer: Response
) -> Decided:
    ruling = Ruling(move=Move.IDENTIFY, **dict(body))
    return await _decide(session, caller, household_id, ruling, answer)


@routes.post("/refuse", summary="Refuse an accepted household, with the reason in words")
async def refuse(
    session: SessionDep, caller: Decider, household_id: UUID, body: _Decision, answer: Response
) -> Decided:
    ruling = Ruling(move=Move.REFUSE, **dict(body))
    return await _decide(session, caller, household_id, ruling, answer)


@routes.post("/lift", summary="Lift a household out of poverty")
async def lift(
    session: SessionDep, caller: Decider, household_id: UUID, body: Lift, answer: Response
) -> Decided:
    ruling = Ruling(move=Move.LIFT, **dict(body))
    return await _decide(session, caller, household_id, ruling, answer)


@routes.post("/exit", summary="Strike a household off, after tracking or for a written reason")
async def strike_off(
    session: SessionDep, caller: Decider, household_id: UUID, body: _Decision, answer: Response
) -> Decided:
    ruling = Ruling(move=Move.EXIT, **dict(body))
    return await _decide(session, caller, household_id, ruling, answer)


@routes.post("/return", summary="Take a household back: a new episode on the same file")
async def take_back(
    session: SessionDep, caller: Decider, household_id: UUID, body: Return, answer: Response
) -> Decided:
    ruling = Ruling(move=Move.RETURN, **dict(body))
    return await _decide(session, caller, household_id, ruling, answer)


@routes.post("/close", summary="Close a file whose members all died or moved out")
async def close(
    session: SessionDep, caller: Decider, household_id: UUID, body: Closing, answer: Response
) -> Decided:
    ruling = Ruling(
        move=Move.CLOSE,
        decided_on=body.decided_on,
        reason=body.reason,
        ground=LeaveReason(body.ground),
    )
    return await _decide(session, caller, household_id, ruling, answer)
