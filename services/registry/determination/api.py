"""How an application is made and taken forward, step by step (C4); the decision in deciding_api."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy import RowMapping

from services.registry.determination import actions, queries
from services.registry.determination.actions import Wanted
from services.registry.determination.process import (
    ApplicationState,
    Appraisal,
    Opinion,
    Survey,
)
from services.registry.determination.schemas import (
    AcceptanceIn,
    ApplicationIn,
    ApplicationOut,
    AppraisalIn,
    CaseOut,
    DeclarationIn,
    OpinionIn,
    PapersIn,
    SurveyIn,
)
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/applications", tags=["applications"])
Reader = Annotated[Caller, requires("registry.determination:read")]
Writer = Annotated[Caller, requires("registry.determination:write")]


@routes.post("", status_code=201, summary="Take an application of a household on file")
async def apply(
    session: SessionDep, caller: Writer, body: ApplicationIn, answer: Response
) -> CaseOut:
    papers = [each.paper() for each in body.papers]
    wanted = Wanted(**{**dict(body), "papers": papers})
    application_id = await actions.apply(session, caller, wanted)
    return await shown(session, caller, application_id, answer)


@routes.get("", summary="Applications by division, state and last day, the earliest first")
async def list_applications(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    state: ApplicationState | None = None,
    due_by: Annotated[date | None, Query(description="the waiting step is due by then")] = None,
    household_id: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ApplicationOut]:
    wanted = queries.Wanted(
        within=prefixes(division), state=state, due_by=due_by, household_id=household_id
    )
    rows = await queries.page(
        session, wanted, divisions=caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _read(session, caller, rows[:limit])
    return page(rows, limit, "application_id", ApplicationOut)


@routes.get("/{application_id}", summary="One application with all the papers of its case")
async def read_application(
    session: SessionDep, caller: Reader, application_id: UUID, answer: Response
) -> CaseOut:
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/papers", summary="Put papers to the case")
async def add_papers(
    session: SessionDep, caller: Writer, application_id: UUID, body: PapersIn, answer: Response
) -> CaseOut:
    papers = [each.paper() for each in body.papers]
    await actions.add_papers(session, caller, application_id, papers)
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/declaration", status_code=201, summary="Keep a declaration")
async def declare(
    session: SessionDep, caller: Writer, application_id: UUID, body: DeclarationIn, answer: Response
) -> CaseOut:
    await actions.declare(session, caller, application_id, body.declared_on, body.declaration)
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/accept", summary="Accept an application whose papers are complete")
async def accept(
    session: SessionDep,
    caller: Writer,
    application_id: UUID,
    *,
    body: AcceptanceIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    await actions.accept(session, caller, application_id, revision, body.accepted_on)
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/surveys", status_code=201, summary="Enter a visit and sign it")
async def enter_survey(
    session: SessionDep, caller: Writer, application_id: UUID, body: SurveyIn, answer: Response
) -> CaseOut:
    await actions.enter_survey(session, caller, application_id, Survey(**dict(body)))
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/surveys/{survey_id}/sign", summary="Sign the township's survey")
async def sign_survey(
    session: SessionDep, caller: Writer, application_id: UUID, survey_id: UUID, answer: Response
) -> CaseOut:
    await actions.sign_survey(session, caller, application_id, survey_id)
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/appraisal", status_code=201, summary="Enter an appraisal")
async def enter_appraisal(
    session: SessionDep, caller: Writer, application_id: UUID, body: AppraisalIn, answer: Response
) -> CaseOut:
    await actions.enter_appraisal(session, caller, application_id, Appraisal(**dict(body)))
    return await shown(session, caller, application_id, answer)


@routes.post("/{application_id}/opinion", status_code=201, summary="Give the township's opinion")
async def give_opinion(
    session: SessionDep,
    caller: Writer,
    application_id: UUID,
    *,
    body: OpinionIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    opinion = Opinion(**dict(body))
    await actions.give_opinion(session, caller, application_id, revision, opinion)
    return await shown(session, caller, application_id, answer)


async def shown(
    session: SessionDep, caller: Caller, application_id: UUID, answer: Response
) -> CaseOut:
    """The application as it stands, with its ETag; the look is noted."""
    row = await found(session, caller, application_id)
    known = await queries.whole(session, row)
    answer.headers["ETag"] = api.etag(row["revision"])
    signed: dict[UUID, list[str]] = {each["survey_id"]: [] for each in known.surveys}
    for each in known.signatures:
        signed[each["survey_id"]].append(each["officer_id"])
    surveys = [dict(each) | {"signed_by": signed[each["survey_id"]]} for each in known.surveys]
    return CaseOut.model_validate(
        dict(row)
        | {"papers": known.papers, "declarations": known.declarations}
        | {"surveys": surveys, "appraisals": known.appraisals}
        | {"opinions": known.opinions, "decisions": known.decisions}
    )


async def found(session: SessionDep, caller: Caller, application_id: UUID) -> RowMapping:
    """The application's row; the look is noted. Raises NotFound out of reach."""
    row = await queries.one(session, application_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("application_not_found", "no such application in the caller's divisions")
    await _read(session, caller, [row])
    return row


async def _read(session: SessionDep, caller: Caller, rows: Sequence[RowMapping]) -> None:
    await audit.record_rows(
        session,
        caller,
        rows,
        action="application.read",
        subject_type="household",
        subject="household_id",
    )
