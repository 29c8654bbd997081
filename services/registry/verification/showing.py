"""A report as it is shown and printed: who is meant is looked up, masked unless pii:read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry import pages
from services.registry.households import queries as households
from services.registry.households import sealed as households_sealed
from services.registry.households import views
from services.registry.integrity.rules import KINDS_ZH as RECORD_KINDS_ZH
from services.registry.verification import queries, sealed, words
from services.registry.verification.kinds import KINDS_ZH
from services.registry.verification.report_schemas import PersonShown, ReportOut, ReportRecord
from services.registry.verification.sources import NAMES_ZH, Source
from shared import clock, divisions
from shared.auth import Caller
from shared.divisions import county_of

_templates = pages.templates(__file__)

NOTES_ZH = (
    "对本报告有异议的,可在收到之日起5日内向出具机构提出。",
    "本报告仅供本地区社会救助使用,不得用于其他目的。",
    "本报告只反映核对情况,不作为不予救助的决定。",
)
"""What stands under every report (section 4)."""


async def shown(session: AsyncSession, caller: Caller, row: RowMapping) -> ReportOut:
    """A report with the names of those it speaks of."""
    plain = caller.can(views.PLAIN)
    content = sealed.read_report(row["content_encrypted"])
    people = await _people(session, caller, row, content, plain=plain)
    items = [
        each | {"answer": each["answer"] if plain else words.masked(each["answer"])}
        for each in content["items"]
    ]
    county = await divisions.find(session, county_of(row["division_code"]))
    doubtful = {Source(each["source"]) for each in content["doubts"]}
    return ReportOut.model_validate(
        {
            **row,
            "applicant": people[content["head_person_id"]],
            "members": [
                people[each["subject_id"]] | {"relation": each["relation"]}
                for each in content["members"]
            ],
            "obligors": [people[each] for each in content["obligors"]],
            "integrity": content.get("integrity"),
            "items": items,
            "items_checked": len(items),
            "doubtful_sources": [source for source in Source if source in doubtful],
            "doubts": content["doubts"],
            "notes": NOTES_ZH,
            "issued_by": f"{county.name if county else ''}居民家庭经济状况核对中心",
        }
    )


def printed(report: ReportOut) -> str:
    """The report as a Chinese page to be printed."""
    names = {each.subject_id: each.name for each in (*report.members, *report.obligors)}
    tables = [
        {
            "name": NAMES_ZH[source],
            "rows": [
                {
                    "name": names.get(item.subject_id, "*"),
                    "state": words.STATES[item.state.value],
                    "at": item.answered_at and clock.day_of(item.answered_at),
                    "told": words.told(item.answer),
                }
                for item in report.items
                if item.source is source
            ],
        }
        for source in Source
    ]
    return _templates.get_template("report.html").render(
        report=report,
        names=names,
        tables=[table for table in tables if table["rows"]],
        words=words,
        records=_records(report),
        record_kinds={kind.value: name for kind, name in RECORD_KINDS_ZH.items()},
        kinds={kind.value: name for kind, name in KINDS_ZH.items()},
        sources={source.value: name for source, name in NAMES_ZH.items()},
        doubts_in=[NAMES_ZH[source] for source in report.doubtful_sources],
    )


def _records(report: ReportOut) -> list[tuple[PersonShown, list[ReportRecord]]]:
    """Everybody of whom the report speaks, with what stands of him; none is nothing on record."""
    return [
        (person, [each for each in report.integrity or () if each.subject_id == person.subject_id])
        for person in (*report.members, *report.obligors)
    ]


async def _people(
    session: AsyncSession,
    caller: Caller,
    row: RowMapping,
    content: Mapping[str, Any],
    *,
    plain: bool,
) -> dict[str, dict[str, Any]]:
    """By id as text; who is out of the caller's reach by now is there without a name."""
    ids = [UUID(each["subject_id"]) for each in content["members"]]
    found = await households.load_persons(session, ids, divisions=caller.divisions)
    people = {str(each): {"subject_id": each, "name": "*", "id_number": None} for each in ids}
    for person_id, person in found.items():
        people[str(person_id)] |= {
            "name": households_sealed.show_name(person.name, plain=plain),
            "id_number": households_sealed.show_id_number(person.id_number_encrypted, plain=plain),
        }
    known = await queries.obligors_of(session, row["household_id"], divisions=caller.divisions)
    for obligor in known:
        people[str(obligor["obligor_id"])] = {
            "subject_id": obligor["obligor_id"],
            "name": sealed.show_name(obligor["name_encrypted"], plain=plain),
            "id_number": households_sealed.show_id_number(
                obligor["id_number_encrypted"], plain=plain
            ),
        }
    return people
