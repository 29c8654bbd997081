"""What goes in and out of the verification's API; names and numbers masked without pii:read."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.households.schemas import Name, Number
from services.registry.verification.sources import ItemState, Kind, Source, SubjectKind
from shared.asked import Month
from shared.contracts.registry import Category

Strict = ConfigDict(extra="forbid")
Sources = Annotated[tuple[Source, ...], Field(max_length=len(Source))]
Words = Annotated[str, Field(max_length=2000)]
Paper = Annotated[str, Field(max_length=200, description="where the signed paper is kept")]


class ObligorIn(BaseModel):
    """Somebody outside the household who owes a member support (法定赡养、抚养、扶养义务人)."""

    model_config = Strict

    name: Name
    id_number: Number
    relation: Annotated[str, Field(pattern=r"^[a-z_]{1,30}$", examples=["son"])]
    person_id: Annotated[UUID, Field(description="the member whom he owes support")]


class ObligorOut(BaseModel):
    """An obligor as registered; ``ended_on`` once he owes nothing any more."""

    obligor_id: UUID
    household_id: UUID
    name: str | None
    id_number: str | None
    relation: str
    supports_person_id: UUID
    ended_on: date | None


class Reason(BaseModel):
    """Why, in words."""

    model_config = Strict

    reason: Words


class GuardianIn(BaseModel):
    """A guardian: a member of the household by id, or somebody else by name."""

    model_config = Strict

    person_id: UUID | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.person_id is None) == (self.name is None):
            raise ValueError("name the guardian by person_id or by name, not both")
        return self


class AuthorizationIn(BaseModel):
    """A signed authorisation of a member or an obligor of the household."""

    model_config = Strict

    person_id: Annotated[UUID, Field(description="the member, or the obligor by obligor_id")]
    sources: Sources = tuple(Source)
    purpose: Words
    signed_on: date
    valid_from: date
    valid_to: date
    document: Paper
    guardian: GuardianIn | None = None


class AuthorizationOut(BaseModel):
    """An authorisation as stored; ``live`` says whether a query may leave by it today."""

    authorization_id: UUID
    household_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    version: int
    sources: list[Source]
    purpose: str
    signed_on: date
    valid_from: date
    valid_to: date
    document: str
    guardian_person_id: UUID | None
    guardian_name: str | None
    revoked_on: date | None
    revoked_reason: str
    live: bool


class VerificationIn(BaseModel):
    """What is asked for; the facts compared with are those of the file.

    The income window is whole months, both included.
    """

    model_config = Strict

    aid_type: Category
    purpose: Words
    from_month: Month
    to_month: Month
    sources: Sources = tuple(Source)


class ItemOut(BaseModel):
    """One question: a person, a source, and where it stands."""

    subject_kind: SubjectKind
    subject_id: UUID
    source: Source
    state: ItemState
    failure: str | None
    attempts: int
    sent_at: datetime | None
    answered_at: datetime | None


class VerificationOut(BaseModel):
    """A verification; ``stopped_on`` where a death mark ended it."""

    verification_id: UUID
    household_id: UUID
    kind: Kind
    period: date | None
    aid_type: Category
    purpose: str
    from_month: Annotated[Month, Field(validation_alias="window_from")]
    to_month: Annotated[Month, Field(validation_alias="window_to")]
    requested_on: date
    requested_by: str
    stopped_on: date | None


class VerificationDetail(VerificationOut):
    """A verification with its questions; ``missing_sources`` have not said what they know."""

    items: list[ItemOut]
    missing_sources: list[Source]


class AskedAgain(BaseModel):
    """How many questions wait again."""

    items: int
