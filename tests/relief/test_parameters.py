"""Relief's parameters: the sample sets every one of them, within its bounds."""

import json
from decimal import Decimal
from pathlib import Path

from services.relief.standards.api import EVERY
from shared.contracts.registry import Category

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "parameters.json"


def test_the_sample_sets_every_parameter_of_relief_within_its_bounds() -> None:
    rows = {
        row["key"]: Decimal(row["value"])
        for row in json.loads(SAMPLE.read_text())
        if row["service"] == "relief"
    }
    assert rows.keys() == EVERY.keys()
    for key, value in rows.items():
        assert EVERY[key].minimum <= value <= EVERY[key].maximum, key


def test_every_category_has_its_figures() -> None:
    for category in Category:
        for name in ("medical.deductible", "medical.ratio", "medical.cap", "premium.rate"):
            assert f"{name}.{category.value}" in EVERY
