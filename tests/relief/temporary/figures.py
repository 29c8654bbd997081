"""The figures of temporary assistance, as two officers would have put them in force."""

from datetime import date
from decimal import Decimal

from sqlalchemy import insert

from services.relief.temporary import parameters
from shared import clock
from shared.db import Database
from shared.identity import new_id
from shared.parameter_values import PARAMETERS

FIGURES = {
    parameters.FACTOR_MAX: "6",
    parameters.FACTOR_SPECIAL: "12",
    parameters.TOWNSHIP_LIMIT: "2000",
    parameters.PER_YEAR: "1",
    parameters.PAPER_DAYS: "10",
}


async def set_figures(database: Database, division: str = "331100") -> None:
    """All of them, approved for a division from 2026 on."""
    rows = [
        {
            "parameter_id": new_id(),
            "key": key,
            "division_code": division,
            "valid_from": date(2026, 1, 1),
            "value": Decimal(value),
            "unit": parameters.DEFINITIONS[key].unit,
            "document_number": "丽民〔2026〕8号",
            "sample": False,
            "entered_by": "o1",
            "entered_at": clock.now(),
            "approved_by": "o2",
            "approved_at": clock.now(),
            "version": 2,
        }
        for key, value in FIGURES.items()
    ]
    async with database.transaction() as session:
        await session.execute(insert(PARAMETERS), rows)
