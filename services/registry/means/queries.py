"""The values that a means test is made with: what is in force in a division on a day."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks.rules import G4600_INDEX, G4600_LINE
from services.registry.means.facts import MeansParameters, Used
from services.registry.means.keys import DIBAO_LINE, STANDARDS
from services.registry.means.parameters import ASKED, CYCLES
from services.registry.standards.queries import standard_on
from shared import divisions
from shared.parameter_values import PARAMETERS, Parameter, holding, read

KEYS = (*ASKED, *CYCLES, G4600_LINE, G4600_INDEX)


async def parameters_for(
    session: AsyncSession, division_code: str, on: date, *, applied_on: date
) -> MeansParameters:
    """Parameters and standards in force on ``on``, and the line of the application's day (R9).

    What nobody has set is left out: the means test names it when it asks for it.
    """
    values = dict(await _parameters(session, division_code, on))
    for key in STANDARDS:
        if standard := await _standard(session, key, division_code, on):
            values[key] = standard
    applied = await _standard(session, DIBAO_LINE, division_code, applied_on)
    return MeansParameters(values, line_applied=applied)


async def _parameters(session: AsyncSession, division_code: str, on: date) -> Mapping[str, Used]:
    chain = divisions.ancestors(division_code)
    rows = await read(
        session,
        select(PARAMETERS)
        .where(PARAMETERS.c.key.in_(KEYS))
        .where(PARAMETERS.c.division_code.in_(chain))
        .where(PARAMETERS.c.approved_at.is_not(None)),
    )
    by_key: dict[str, list[Parameter]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    found = {}
    for key, of_key in by_key.items():
        begun = [each for each in holding(of_key, chain) if each.valid_from <= on]
        if begun:
            found[key] = _used(begun[-1])
    return found


def _used(parameter: Parameter) -> Used:
    return Used(
        key=parameter.key,
        value=parameter.value,
        valid_from=parameter.valid_from,
        document_number=parameter.document_number,
    )


async def _standard(session: AsyncSession, key: str, division_code: str, on: date) -> Used | None:
    row = await standard_on(session, key, division_code, on)
    if row is None:
        return None
    return Used(
        key=key,
        value=row["value"],
        valid_from=row["valid_from"],
        document_number=row["document_number"],
    )
