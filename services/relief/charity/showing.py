"""Rows of charity as its routes show them: words unsealed, names masked but for ``pii:read``."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity import queries, sealed
from services.relief.charity.accounts import PURPOSE_OF, Aid, published_donor
from services.relief.charity.allocating import PROGRAMME
from services.relief.payments import queries as payments
from services.relief.payments.rules import Programme
from shared.auth import Caller

PII = "pii:read"


def donor(caller: Caller, row: RowMapping) -> dict[str, Any]:
    """A donor; an organisation's name is whole, a person's masked."""
    whole = caller.can(PII)
    return {
        **row,
        "name": sealed.masked_name(
            row["name_encrypted"], whole=whole or row["kind"] == "organisation"
        ),
        "contact": sealed.masked_contact(row["contact_encrypted"], whole=whole),
    }


async def donations(session: AsyncSession, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Donations with the earmark that holds and what is left of them."""
    changed = await queries.newest_changes(session, [row["donation_id"] for row in rows])
    return [
        {
            **row,
            "left": row["amount"] - row["allocated"],
            "earmark": _earmark(changed.get(row["donation_id"], row)),
        }
        for row in rows
    ]


def _earmark(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "purpose": row["earmark_purpose"],
        "words": sealed.unseal(row["earmark_words_encrypted"], sealed.WORDS),
        "household_id": row["earmark_household_id"],
    }


def allocation(caller: Caller, row: RowMapping) -> dict[str, Any]:
    """An allocation; who received it is masked."""
    return {
        **row,
        "words": sealed.unseal(row["words_encrypted"], sealed.WORDS),
        "uncategorised_reason": sealed.unseal(row["uncategorised_reason_encrypted"], sealed.WORDS),
        "reason": sealed.unseal(row["reason_encrypted"], sealed.WORDS),
        "received_by": sealed.masked_name(row["received_by_encrypted"], whole=caller.can(PII)),
    }


def published(row: RowMapping) -> dict[str, Any]:
    """A receipt for the public, with the earmark that holds as ``purpose``."""
    name = sealed.unseal(row["name_encrypted"], sealed.NAME)
    shown = published_donor(row["donor_kind"], name, name_public=bool(row["name_public"]))
    return {**row, "donor": shown}


async def published_page(session: AsyncSession, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Receipts for the public; an earmark that was changed is shown as it holds now."""
    changed = await queries.newest_changes(session, [row["donation_id"] for row in rows])
    return [
        {
            **published(row),
            "purpose": changed.get(row["donation_id"], row)["earmark_purpose"],
        }
        for row in rows
    ]


async def aids(session: AsyncSession, caller: Caller, household_id: UUID, year: int) -> list[Aid]:
    """What relief pays and charity holds for or gave a household, for the months of a year."""
    paid = await payments.paid_in(session, household_id, caller.divisions, year)
    given = await queries.helped_in(session, household_id, caller.divisions, year)
    found = [_paid_by_relief(row) for row in paid] + [_given_by_charity(row) for row in given]
    return sorted(found, key=lambda aid: (aid.month, aid.aid_id))


async def doubles(session: AsyncSession, caller: Caller, row: RowMapping) -> bool:
    """Whether an allocation, proposed ones too, meets other help for its purpose and month."""
    others = await aids(session, caller, row["household_id"], row["month"].year)
    return any(
        (aid.purpose, aid.month) == (row["purpose"], row["month"])
        for aid in others
        if aid.aid_id != row["allocation_id"]
    )


def _paid_by_relief(row: Mapping[Any, Any]) -> Aid:
    """A payment of relief's as a measure of the card."""
    programme = Programme(row["programme"])
    return Aid(
        aid_id=row["payment_id"],
        source="government",
        programme=programme,
        purpose=PURPOSE_OF[programme],
        fund=row["fund"],
        month=row["month"],
        amount=row["amount"],
        status=row["status"],
        granted_on=row["granted_on"],
    )


def _given_by_charity(row: Mapping[Any, Any]) -> Aid:
    """An allocation as a measure of the card: decided, and handed over or not yet."""
    return Aid(
        aid_id=row["allocation_id"],
        source=PROGRAMME,
        programme=PROGRAMME,
        purpose=row["purpose"],
        fund=row["fund"],
        month=row["month"],
        amount=row["amount"],
        status=row["state"],
        granted_on=row["handed_over_on"] or row["decided_on"],
    )
