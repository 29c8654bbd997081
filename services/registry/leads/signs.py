"""Signs of hardship that other services see, as reports of leads (C21): each counts once."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.leads import intake, rules
from services.registry.leads.intake import Incoming
from services.registry.ledger.actions import hold_households
from shared.contracts.assistance import Hardship, HardshipKind
from shared.contracts.leads import LeadSource
from shared.contracts.registry import State
from shared.db import driver_of

WORDS: Final = {
    HardshipKind.DANGEROUS_HOUSE.value: "住房鉴定为危房",
    HardshipKind.DROPOUT.value: "适龄子女失学辍学",
    HardshipKind.MEDICAL_EXPENSE.value: "自付医疗费用过大",
}
"""What a sign says to the township that is asked to look."""


async def take(session: AsyncSession, signs: Sequence[tuple[str, Hardship]]) -> None:
    """Take in signs (source, hardship) of households that were never identified; each once.

    At others they are no leads: see ``rules.opens_lead``. Raises UnknownHouseholdError naming the
    ids.
    """
    await hold_households(session, [sign.household_id for _, sign in signs])
    ids = sorted({sign.household_id for _, sign in signs})
    rows = await driver_of(session).fetch(_FILES, ids)
    places = {
        row["household_id"]: row["division_code"]
        for row in rows
        if rules.opens_lead(State(row["state"]))
    }
    fresh = {(source, sign.hardship_id): sign for source, sign in signs}
    known = await driver_of(session).fetch(
        _KNOWN, [source for source, _ in fresh], [mark for _, mark in fresh]
    )
    for row in known:
        del fresh[row["origin"], row["source_id"]]
    reports = [
        Incoming(
            source=LeadSource.OTHER_SERVICE,
            division_code=places[sign.household_id],
            household_id=sign.household_id,
            reported_on=sign.detected_on,
            words=WORDS.get(sign.kind, f"其他部门发现困难迹象（{sign.kind}）"),
            reported_by=source,
            origin=source,
            service=source.removeprefix("/"),
            source_id=sign.hardship_id,
        )
        for (source, _), sign in fresh.items()
        if sign.household_id in places
    ]
    await intake.take(session, sorted(reports, key=lambda report: str(report.household_id)))


_FILES = "SELECT household_id, division_code, state FROM households WHERE household_id = ANY ($1)"
_KNOWN = """
    SELECT lead_reports.origin, lead_reports.source_id FROM lead_reports
    JOIN unnest($1::text[], $2::uuid[]) AS sent(origin, source_id) USING (origin, source_id)
"""
