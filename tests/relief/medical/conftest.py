"""A county with R20's figures in force."""

import pytest

from shared.db import Database
from tests.relief.medical.facts import R20
from tests.relief.support import set_figure


@pytest.fixture(autouse=True)
async def figures(worker: Database) -> None:
    for category, values in R20.items():
        for name, value in zip(("deductible", "ratio", "cap"), values, strict=True):
            await set_figure(worker, f"medical.{name}.{category}", value, division="331100")
