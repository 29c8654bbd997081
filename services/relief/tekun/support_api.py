"""How institutions are registered, and how people are supported: at home or in one of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from sqlalchemy import RowMapping

from services.relief.tekun import placing, records
from services.relief.tekun.api import note_reading
from services.relief.tekun.assessing import known_household
from services.relief.tekun.placing import NewInstitution, Placing
from services.relief.tekun.rules import Form
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.divisions import CODE
from shared.errors import NotFound
from shared.identity import normalise_code

routes = api.router("/v1", tags=["tekun"])

Reader = Annotated[Caller, requires("relief.tekun:read")]
Writer = Annotated[Caller, requires("relief.tekun:write")]
Confirmer = Annotated[Caller, requires("relief.tekun:confirm")]
Words = Annotated[str, Field(min_length=1, max_length=100)]


def _plain(given: object) -> object:
    return normalise_code(given).replace("-", "") if isinstance(given, str) else given


def _an_account(digits: str) -> str:
    if not (digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 32):
        raise ValueError("an account has 8 to 32 digits")
    return digits


Account = Annotated[
    str,
    BeforeValidator(_plain),
    AfterValidator(_an_account),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{8,32}$"}),
]
"""Digits; full-width ones, spaces and hyphens are taken as people type them."""


class InstitutionIn(BaseModel):
    """An institution that houses tekun people, and the account that their money goes to."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    division_code: Annotated[str, Field(pattern=CODE)]
    name: Words
    bank: Words
    account: Account


class AccountIn(BaseModel):
    """Another account of an institution."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    bank: Words
    account: Account


class AccountAgain(BaseModel):
    """The account that waits, typed once more from its paper."""

    model_config = ConfigDict(extra="forbid")

    account: Account


class AccountView(BaseModel):
    """An account by its last four digits; the one confirmed last is paid to."""

    bank: str
    account: str
    entered_by: str
    entered_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    withdrawn_at: datetime | None


class InstitutionView(BaseModel):
    """An institution with its accounts as they were entered; it houses people once one counts."""

    institution_id: UUID
    division_code: str
    name: str
    entered_by: str
    entered_at: datetime
    accounts: list[AccountView]


class SupportIn(BaseModel):
    """A person's form of support from a day on; an institution where it is centralised."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    form: Form
    institution_id: UUID | None = None
    valid_from: date


class SupportView(BaseModel):
    """A person's form of support; ``until`` is its last day, null while it goes on."""

    model_config = ConfigDict(from_attributes=True)

    support_id: UUID
    household_id: UUID
    person_id: UUID
    division_code: str
    form: Form
    institution_id: UUID | None
    valid_from: date
    until: date | None
    recorded_by: str
    recorded_at: datetime


@routes.post("/tekun-institutions", status_code=201, summary="Register an institution")
async def register(session: SessionDep, caller: Writer, body: InstitutionIn) -> InstitutionView:
    """Another officer confirms it and its account before anybody can be placed there.

    403 ``division_not_covered``; 409 ``institution_exists``; 422 ``division_unknown``.
    """
    new = NewInstitution(**dict(body))
    return await _institution(session, caller, await placing.register(session, caller, new))


@routes.get("/tekun-institutions", summary="The register of institutions")
async def institutions(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[InstitutionView]:
    within = (caller.divisions, prefixes(division))
    rows = await records.institutions(session, within, after=after_id(cursor), limit=limit + 1)
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="tekun_institution.read",
        subject_type="tekun_institution",
        subject="institution_id",
    )
    accounts = await records.accounts_of(session, [row["institution_id"] for row in rows])
    shown = [_shown(row, accounts).model_dump() for row in rows]
    return page(shown, limit, "institution_id", InstitutionView)


@routes.post("/tekun-institutions/{institution_id}/account", summary="Enter another account")
async def change_account(
    session: SessionDep, caller: Writer, institution_id: UUID, body: AccountIn
) -> InstitutionView:
    """The one in force is paid to until another officer confirms this one.

    404 ``institution_unknown``.
    """
    await placing.change_account(session, caller, institution_id, **dict(body))
    return await _institution(session, caller, institution_id)


@routes.post("/tekun-institutions/{institution_id}/confirm", summary="Confirm the account")
async def confirm(
    session: SessionDep, caller: Confirmer, institution_id: UUID, body: AccountAgain
) -> InstitutionView:
    """By another officer than the one who entered it, who types it again.

    404 ``institution_unknown``; 409 ``nothing_waits``, ``same_officer``; 422 ``account_differs``.
    """
    await placing.confirm_account(session, caller, institution_id, account=body.account)
    return await _institution(session, caller, institution_id)


@routes.post("/households/{household_id}/tekun-supports", status_code=201, summary="Place a person")
async def place(
    session: SessionDep, caller: Writer, household_id: UUID, body: SupportIn
) -> list[SupportView]:
    """All forms of support of the household's people; the new one pays from the next month.

    404 ``household_unknown``; 422 ``household_not_tekun``, ``person_not_member``, ``in_future``,
    ``institution_missing``, ``institution_unneeded``, ``institution_unknown``,
    ``institution_unconfirmed``, ``institution_elsewhere``.
    """
    await placing.place(session, caller, household_id, Placing(**dict(body)))
    return await _supports(session, caller, household_id)


@routes.get(
    "/households/{household_id}/tekun-supports", summary="How a household's people are supported"
)
async def supports(session: SessionDep, caller: Reader, household_id: UUID) -> list[SupportView]:
    """By person and day, each with its last day; 404 ``household_unknown``."""
    await known_household(session, caller, household_id)
    shown = await _supports(session, caller, household_id)
    await note_reading(session, caller, [each.model_dump() for each in shown[:1]])
    return shown


async def _supports(session: SessionDep, caller: Caller, household_id: UUID) -> list[SupportView]:
    rows = await records.supports_of(session, household_id, caller.divisions)
    return [SupportView.model_validate(row) for row in rows]


async def _institution(
    session: SessionDep, caller: Caller, institution_id: UUID
) -> InstitutionView:
    row = await records.institution_by_id(session, institution_id, caller.divisions)
    if row is None:
        raise NotFound("institution_unknown", f"no institution {institution_id}")
    return _shown(row, await records.accounts_of(session, [institution_id]))


def _shown(row: RowMapping, accounts: Mapping[UUID, Sequence[RowMapping]]) -> InstitutionView:
    shown = [
        {**each, "account": placing.shown_account(each["account_encrypted"])}
        for each in accounts.get(row["institution_id"], ())
    ]
    return InstitutionView.model_validate({**row, "accounts": shown})
