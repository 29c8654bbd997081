"""How an officer tries a case before anybody applies: the whole reckoning, nothing stored (C4)."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.refusals import problem_of
from services.registry.means import queries
from services.registry.means.explanation import as_json, told
from services.registry.means.facts import Case, MissingParameterError
from services.registry.means.rules import ImpossibleCaseError, decide
from shared import api, clock
from shared.auth import requires
from shared.db import SessionDep
from shared.errors import Fault

routes = api.router("/v1/means-tests", tags=["means"])


class MeansIn(BaseModel):
    """A case, where it is and the day of decision; today when left out."""

    model_config = ConfigDict(extra="forbid")

    division_code: Annotated[str, Field(pattern=r"^[1-9]\d{11}$")]
    decided_on: Annotated[date, Field(ge=date(2014, 11, 1), le=date(2100, 1, 1))] | None = None
    case: Case


class MeansOut(BaseModel):
    """What it comes to: every number, and the same in words as a citizen reads it."""

    finding: dict[str, Any]
    words: str


@routes.post(
    "",
    summary="Reckon a case; nothing is stored",
    dependencies=[requires("registry.means:read")],
    openapi_extra={api.READ_ONLY: True},
)
async def try_case(session: SessionDep, body: MeansIn) -> MeansOut:
    on = body.decided_on or clock.today()
    parameters = await queries.parameters_for(
        session, body.division_code, on, applied_on=body.case.applied_on
    )
    try:
        finding = decide(body.case, parameters, on)
    except ImpossibleCaseError as impossible:
        raise problem_of(list(impossible.faults)) from impossible
    except MissingParameterError as missing:
        message = f"缺少已批准的参数或标准{missing.key},不能核算"
        raise problem_of([Fault(missing.key, "parameter_missing", message)]) from missing
    return MeansOut(finding=as_json(finding), words=told(finding))
