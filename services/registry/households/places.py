"""Where a household may be filed, and what goes along when it moves to another village."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import Caller
from shared.errors import Fault

_FOLLOWING = (
    "household_versions",
    "decisions",
    "episodes",
    "members",
    "aid_ledger",
    "guarantees",
    "notice_requests",
    "notices",
    "income_checks",
    "hardships",
    "return_checks",
    "household_aliases",
    "splits",
    "mergers",
    "source_conflicts",
    "tasks",
    # Before the authorisations: whoever sends questions locks in this order.
    "verification_items",
    "authorizations",
    "obligors",
    "verifications",
    "verification_doubts",
    "verification_reports",
    "applications",
    "application_papers",
    "application_declarations",
    "application_surveys",
    "survey_signatures",
    "application_appraisals",
    "application_opinions",
    "application_decisions",
    "leads",
    "pairings",
    "attachments",
    "plans",
    "plan_measures",
    "plan_results",
    "visits",
    "review_dates",
    "reviews",
    "income_falls",
    "certificates",
    "integrity_records",
)
"""Every table of a household that carries its division; a new capability adds its own."""
_OF_LEADS = ("lead_reports", "lead_visits")
_PERSONS = ("persons", "staff_relatives")
"""The same of single persons: these go where the person stands."""

_INCOMING = "unnest(CAST(:ids AS uuid[]), CAST(:codes AS text[])) AS moved(id, code)"


async def villages(session: AsyncSession, codes: Iterable[str]) -> set[str]:
    """Which of these codes are villages known to the platform, merged away or not."""
    wanted = sorted(set(codes))
    if not wanted:
        return set()
    rows = await session.execute(
        text("SELECT code FROM divisions WHERE level = 'village' AND code = ANY(:codes)"),
        {"codes": wanted},
    )
    return set(rows.scalars())


def faults(caller: Caller, division_code: str, known: set[str]) -> list[Fault]:
    """Why a household may not be filed in this village by this caller."""
    if division_code not in known:
        return [Fault("#/division_code", "division_unknown", "行政村代码不存在")]
    if not caller.covers(division_code):
        return [Fault("#/division_code", "division_not_yours", "该行政村不在您的管辖范围内")]
    return []


async def follow(session: AsyncSession, moved: Mapping[UUID, str]) -> None:
    """Take the papers and the people of these households to their new villages.

    A household takes its whole file along, or its new township could not read it.
    """
    if not moved:
        return
    there: dict[str, Any] = {"ids": list(moved), "codes": list(moved.values())}
    for table in _FOLLOWING:
        await session.execute(
            text(
                f"UPDATE {table} SET division_code = moved.code FROM {_INCOMING} "  # noqa: S608 (own names)
                "WHERE household_id = moved.id AND division_code <> moved.code"
            ),
            there,
        )
    for table in _OF_LEADS:
        await session.execute(
            text(
                f"UPDATE {table} SET division_code = moved.code FROM leads, {_INCOMING} "  # noqa: S608 (own names)
                f"WHERE leads.household_id = moved.id AND {table}.lead_id = leads.lead_id "
                f"AND {table}.division_code <> moved.code"
            ),
            there,
        )
    for table in _PERSONS:
        await session.execute(
            text(
                f"UPDATE {table} SET division_code = moved.code FROM members, {_INCOMING} "  # noqa: S608 (own names)
                "WHERE members.household_id = moved.id AND members.left_on IS NULL "
                f"AND {table}.person_id = members.person_id"
            ),
            there,
        )


async def bring(session: AsyncSession, person_ids: Sequence[UUID], division_code: str) -> None:
    """Take people to the village of the household that they belong to from now on."""
    await session.execute(
        text(
            "UPDATE persons SET division_code = :code "
            "WHERE person_id = ANY(:people) AND division_code <> :code"
        ),
        {"people": list(person_ids), "code": division_code},
    )
    for table in _PERSONS:
        await session.execute(
            text(
                f"UPDATE {table} SET division_code = :code "  # noqa: S608 (own names)
                "WHERE person_id = ANY(:people) AND division_code <> :code"
            ),
            {"people": list(person_ids), "code": division_code},
        )
