"""Posting notices once their names are known: composed, checked, stored and published (C60).

The names come from the registry before anything is locked here; a notice that was asked for with
another applicant meanwhile is left to the job of its newer request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import queries, sealed, writing
from services.notify.notices.actions import SYSTEM
from services.notify.notices.content import Posting, complaints_to, compose, forbidden
from services.notify.notices.queries import Row
from services.notify.notices.rules import DAYS_KEY, Refusal, days_of
from shared import clock, parameters
from shared.contracts.notices import NoticeStatus
from shared.divisions import county_of
from shared.parameters import Parameter
from shared.workdays import next_notice_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What a posting needs beside the notices: names by person, phones and days by county."""

    names: Mapping[UUID, str]
    places: Mapping[str, str]
    phones: Mapping[str, str]
    days: Mapping[str, Parameter | None]
    today: date


async def post_notices(
    session: AsyncSession,
    notice_ids: Sequence[UUID],
    *,
    asked: set[UUID],
    names: Mapping[UUID, str],
    phones: Mapping[str, str],
) -> int:
    """Post those of these notices that still wait for it; returns how many were.

    ``asked`` are the persons whose ``names`` the registry was asked for; who has none there is
    refused. What must not be printed refuses the notice with the rule that it breaks.
    """
    held = await queries.hold_to_post(session, notice_ids)
    rows = [row for row in held if row["applicant_person_id"] in {None, *asked}]
    today = clock.today()
    knowledge = Knowledge(
        names=names,
        places=await queries.division_names(session, {row["division_code"] for row in rows}),
        phones=phones,
        days=await _days(session, {county_of(row["division_code"]) for row in rows}, today),
        today=today,
    )
    done = [_posted(row, knowledge) for row in rows]
    refused = [row for row in done if row["outcome"] is not None]
    posted = [row for row in done if row["outcome"] is None]
    await writing.write(session, done)
    await writing.lapse_objections(session, [row["notice_id"] for row in refused])
    await writing.tell(session, SYSTEM, "notice.refused", refused)
    await writing.tell(session, SYSTEM, "notice.posted", posted)
    return len(posted)


async def _days(
    session: AsyncSession, counties: set[str], today: date
) -> dict[str, Parameter | None]:
    return {
        county: await parameters.value_at(session, DAYS_KEY, county, today)
        for county in sorted(counties)
    }


def _posted(row: Row, known: Knowledge) -> Row:
    applicant = row["applicant_person_id"]
    if applicant is not None and applicant not in known.names:
        return writing.refused(row, Refusal.APPLICANT_UNKNOWN, known.today)
    county = county_of(row["division_code"])
    days = known.days[county]
    last_day = next_notice_end(known.today, days_of(days.value if days else None))
    lines = compose(queries.content_in(row), _posting(row, known, last_day))
    rule = forbidden("\n".join(lines), phone=known.phones.get(county))
    if rule is not None:
        return writing.refused(row, Refusal.CONTENT_FORBIDDEN, known.today, rule=rule.value)
    stays = row["status"] == NoticeStatus.OBJECTED
    return writing.changed(
        row,
        status=NoticeStatus.OBJECTED.value if stays else NoticeStatus.POSTED.value,
        to_post=False,
        content_encrypted=sealed.seal_sheet(lines),
        posted_on=known.today,
        last_day=last_day,
        days_parameter_id=days.parameter_id if days else None,
        objections_dismissed=0,
    )


def _posting(row: Row, known: Knowledge, last_day: date) -> Posting:
    code, category = row["division_code"], queries.content_in(row).category
    county = county_of(code)
    return Posting(
        name=known.names.get(row["applicant_person_id"]),
        village=known.places.get(code) if len(code) == len("331124002221") else None,
        township=known.places.get(code[: len("331124002")]),
        posted_on=known.today,
        last_day=last_day,
        complaints_to=complaints_to(category, known.places.get(county, "县")),
        phone=known.phones.get(county),
    )
