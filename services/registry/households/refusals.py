"""A refused outcome as a problem for the one who asked; what must survive the refusal is kept.

A request that fails is rolled back whole, its idempotency key included. The transfer tasks of
``person_registered_elsewhere`` are therefore written in a transaction of their own, opened when the
request's has ended: no second connection is held meanwhile, and repeating the request is harmless.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, Request

from services.registry.households import persons
from services.registry.households.facts import Elsewhere, Outcome, Result
from shared.auth import Caller, current_caller
from shared.db import Database
from shared.errors import Conflict, Fault, NotFound, PreconditionFailed, Refused

_CONFLICTS = frozenset(
    {
        "person_registered_elsewhere",
        "person_in_other_household",
        "member_already_there",
        "id_number_taken",
        "household_closed",
        "verification_running",
    }
)


class PersonElsewhereError(Conflict):
    """409 ``person_registered_elsewhere``: only the county is named."""

    def __init__(self, faults: Sequence[Fault], elsewhere: Sequence[Elsewhere]) -> None:
        counties = ", ".join(sorted({person.county for person in elsewhere}))
        super().__init__(
            "person_registered_elsewhere",
            f"a person of this household is registered in {counties}; a transfer task is open",
            faults=faults,
        )
        self.elsewhere = tuple(elsewhere)


def require_done(outcome: Outcome) -> Outcome:
    """The outcome, unless it was refused: then the problem of its first fault, listing them all."""
    if outcome.result is not Result.REFUSED:
        return outcome
    if outcome.elsewhere:
        raise PersonElsewhereError(outcome.faults, outcome.elsewhere)
    raise problem_of(outcome.faults)


def refuse_if(faults: Sequence[Fault]) -> None:
    """Raise their problem if there are any faults."""
    if faults:
        raise problem_of(faults)


def problem_of(faults: Sequence[Fault]) -> Conflict | NotFound | PreconditionFailed | Refused:
    """The problem that these faults are, named by the first of them."""
    first = faults[0]
    detail = f"{len(faults)} fault(s), first: {first.message}"
    if first.code == "household_not_found":
        return NotFound(first.code, "no such household in the caller's divisions")
    if first.code == "revision_moved":
        return PreconditionFailed(first.code, "the household changed since it was read")
    if first.code in _CONFLICTS:
        return Conflict(first.code, detail, faults=faults)
    return Refused(first.code, detail, faults=faults)


async def keep_transfers(
    request: Request, caller: Annotated[Caller, Depends(current_caller)]
) -> AsyncIterator[None]:
    """Around a route's session: writes the transfer tasks of a request refused for them."""
    try:
        yield
    except PersonElsewhereError as refused:
        database: Database = request.app.state.platform.database
        async with database.transaction(divisions=caller.divisions) as session:
            await persons.open_transfers(session, caller, refused.elsewhere)
        raise


KeepTransfers = Depends(keep_transfers, scope="function")
"""For a route's ``dependencies``: those are entered before its session and left after it."""
