"""How temporary assistance is asked for, decided, given and followed (C18, C19)."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.settings import ReliefSettings
from services.relief.temporary import actions, deciding, queries, residents, stages, writing
from services.relief.temporary.actions import Asked, Opinion
from services.relief.temporary.residents import Household, Registry
from services.relief.temporary.rules import Award, Level, Stage, State, fault
from services.relief.temporary.schemas import (
    ApplicationIn,
    ApplicationView,
    AwardIn,
    CheckIn,
    OpinionIn,
    PaidIn,
    PapersIn,
    ReasonIn,
    ReferralEnd,
    ReferralIn,
    WholeView,
)
from services.relief.temporary.showing import shown
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import Database, SessionDep
from shared.errors import NotFound

routes = api.router("/v1/temporary-assistance", tags=["temporary"])

Reader = Annotated[Caller, requires("relief.temporary:read")]
Writer = Annotated[Caller, requires("relief.temporary:write")]
Approver = Annotated[Caller, requires("relief.temporary:approve")]
Decider = Annotated[Caller, requires("relief.temporary:decide")]
Payer = Annotated[Caller, requires("relief.temporary:pay")]


def registry_of(settings: ReliefSettings) -> Registry:
    """The registry that a process's settings name."""
    return Registry(
        registry_url=settings.registry_url,
        token_url=settings.token_url,
        client_id=settings.client_name,
        secret_file=settings.client_secret_file,
    )


async def applying(
    request: Request, caller: Writer, body: ApplicationIn
) -> tuple[ApplicationIn, Household]:
    """The application and whose it is; nothing is locked while the registry is asked."""
    people = {f"person_ids/{at}": each for at, each in enumerate(body.person_ids or ())}
    if body.applicant_person_id is not None:
        people["applicant_person_id"] = body.applicant_person_id
    platform: api.Platform = request.app.state.platform
    database: Database = platform.database
    async with database.transaction(divisions=caller.divisions) as session:
        known = await residents.copy_of(session, body.household_id, people)
    if known is not None:
        return body, known
    division = _named(caller, body)
    settings = platform.settings
    if not isinstance(settings, ReliefSettings):
        raise TypeError("relief's app runs with relief's settings")
    found = await residents.ask_registry(registry_of(settings), body.household_id, division, people)
    return body, found


def _named(caller: Caller, body: ApplicationIn) -> str:
    """The village of a household without a copy. Raises Refused for all that is not named."""
    faults = []
    if body.division_code is None or not caller.covers(body.division_code):
        message = "救助库没有此户,须填写本人辖区内的村(社区)代码,以便向登记库核对"
        faults.append(fault("division_code", "division_missing", message))
    for name in ("person_ids", "applicant_person_id"):
        if getattr(body, name) is None:
            message = "救助库没有此户,须填写救助对象和申请人,以便向登记库核对"
            faults.append(fault(name, "people_missing", message))
    writing.refuse_if(faults)
    return body.division_code or ""


Applying = Annotated[tuple[ApplicationIn, Household], Depends(applying)]


@routes.post("/applications", status_code=201, summary="Take an application in")
async def register(
    applied: Applying, session: SessionDep, caller: Writer, response: Response
) -> WholeView:
    """For any household on file, in a category or in none; signed by the officer who enters it.

    422 ``household_unknown`` where neither relief nor the registry knows it with these people;
    503 ``registry_down`` while the registry cannot be asked.
    """
    body, household = applied
    given = body.model_dump(exclude={"household_id", "division_code"})
    given["person_ids"] = body.person_ids or household.counted
    given["applicant_person_id"] = body.applicant_person_id or household.head
    application_id = await actions.register(session, caller, household, Asked(**given))
    response.headers["Location"] = f"/v1/temporary-assistance/applications/{application_id}"
    return await _whole(session, caller, application_id)


@routes.get("/applications", summary="Applications by division, state and household")
async def applications(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    state: State | None = None,
    household: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ApplicationView]:
    """By application id, which ascends with time."""
    wanted = queries.Wanted(within=prefixes(division), state=state, household_id=household)
    return await _page(session, caller, wanted, cursor, limit)


@routes.get("/overdue-papers", summary="Help paid first whose papers are late")
async def overdue_papers(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ApplicationView]:
    """Those whose last day is over, as of today; by application id."""
    wanted = queries.Wanted(within=prefixes(division), overdue_on=clock.today())
    return await _page(session, caller, wanted, cursor, limit)


@routes.get("/applications/{application_id}", summary="One application with all its steps")
async def application(session: SessionDep, caller: Reader, application_id: UUID) -> WholeView:
    """Its decision carries the explanation. 404 ``application_unknown``."""
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/checks", summary="A survey, or an expense checked")
async def check(
    session: SessionDep, caller: Writer, application_id: UUID, body: CheckIn
) -> WholeView:
    """Whoever checks cannot decide. Of a known recipient the expense alone is checked."""
    await actions.check(session, caller, application_id, **dict(body))
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/opinion", summary="The township's opinion")
async def opinion(
    session: SessionDep, caller: Approver, application_id: UUID, body: OpinionIn
) -> WholeView:
    """One for helping asks for the public notice at once."""
    await actions.opine(session, caller, application_id, Opinion(**dict(body)))
    return await _whole(session, caller, application_id)


@routes.post(
    "/applications/{application_id}/repeat", summary="Sign why a household is helped again"
)
async def sign_repeat(
    session: SessionDep, caller: Approver, application_id: UUID, body: ReasonIn
) -> WholeView:
    """Needed past ``temp.per_year``; the decision is then another officer's."""
    await actions.sign_repeat(session, caller, application_id, body.reason)
    return await _whole(session, caller, application_id)


@routes.post(
    "/applications/{application_id}/township-approval", summary="The township helps at once"
)
async def approve_in_township(
    session: SessionDep, caller: Approver, application_id: UUID, body: AwardIn
) -> WholeView:
    """Urgent cases up to ``temp.township_limit``, out of the reserve fund; papers follow."""
    await deciding.approve(session, caller, application_id, _award(body), level=Level.TOWNSHIP)
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/county-approval", summary="The county helps")
async def approve_in_county(
    session: SessionDep, caller: Decider, application_id: UUID, body: AwardIn
) -> WholeView:
    """Ordinary cases after opinion and notice; urgent ones of any size at once."""
    await deciding.approve(session, caller, application_id, _award(body), level=Level.COUNTY)
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/township-refusal", summary="The township refuses")
async def refuse_in_township(
    session: SessionDep, caller: Approver, application_id: UUID, body: ReasonIn
) -> WholeView:
    """Urgent cases alone; in writing, with its reason."""
    await deciding.refuse(session, caller, application_id, body.reason, level=Level.TOWNSHIP)
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/county-refusal", summary="The county refuses")
async def refuse_in_county(
    session: SessionDep, caller: Decider, application_id: UUID, body: ReasonIn
) -> WholeView:
    """In writing, with its reason; a notice that still runs is taken back."""
    await deciding.refuse(session, caller, application_id, body.reason, level=Level.COUNTY)
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/papers", summary="The papers of help paid first")
async def papers(
    session: SessionDep, caller: Writer, application_id: UUID, body: PapersIn
) -> WholeView:
    """Entered after their last day, the step says so."""
    given = [paper.model_dump(mode="json") for paper in body.papers]
    await actions.enter_papers(
        session, caller, application_id, received_on=body.received_on, papers=given
    )
    return await _whole(session, caller, application_id)


@routes.post("/applications/{application_id}/referrals", summary="Send a household on")
async def refer(
    session: SessionDep, caller: Writer, application_id: UUID, body: ReferralIn
) -> WholeView:
    """To charity, medical assistance or another programme."""
    await actions.refer(
        session,
        caller,
        application_id,
        to=body.referred_to,
        referred_on=body.referred_on,
        words=body.words,
    )
    return await _whole(session, caller, application_id)


@routes.post("/referrals/{referral_id}/outcome", summary="What came of a referral")
async def end_referral(
    session: SessionDep, caller: Writer, referral_id: UUID, body: ReferralEnd
) -> WholeView:
    """Once. 404 ``referral_unknown``, 409 ``referral_ended``."""
    of = await actions.end_referral(session, caller, referral_id, **dict(body))
    return await _whole(session, caller, of)


@routes.post("/stages/{stage_id}/paid", summary="A stage has reached the household")
async def confirm_paid(
    session: SessionDep, caller: Payer, stage_id: UUID, body: PaidIn
) -> WholeView:
    """By another officer than who approved it; published as paid."""
    of = await stages.confirm_paid(session, caller, stage_id, body.paid_on)
    return await _whole(session, caller, of)


@routes.post("/stages/{stage_id}/reversal", summary="Take a stage back")
async def reverse(session: SessionDep, caller: Payer, stage_id: UUID, body: ReasonIn) -> WholeView:
    """What a reserve fund had paid returns there; published as reversed."""
    of = await stages.reverse(session, caller, stage_id, body.reason)
    return await _whole(session, caller, of)


def _award(body: AwardIn) -> Award:
    given = [Stage(**dict(stage)) for stage in body.stages or ()]
    return Award(factor=body.factor, hard_reason=body.hard_reason, stages=given)


async def _page(
    session: AsyncSession,
    caller: Caller,
    wanted: queries.Wanted,
    cursor: str | None,
    limit: int,
) -> api.Page[ApplicationView]:
    rows = await queries.page(
        session, wanted, divisions=caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="temporary_assistance.read",
        subject_type="household",
        subject="household_id",
    )
    return page(rows, limit, "application_id", ApplicationView)


async def _whole(session: AsyncSession, caller: Caller, application_id: UUID) -> WholeView:
    row = await queries.one(session, application_id, caller.divisions)
    if row is None:
        raise NotFound("application_unknown", f"no application {application_id}")
    await audit.record_rows(
        session,
        caller,
        [row],
        action="temporary_assistance.read",
        subject_type="household",
        subject="household_id",
    )
    return shown(await queries.whole(session, row))
