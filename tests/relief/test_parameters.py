"""Relief's parameters: all of them may be entered, and the sample county's values fit them."""

import json
from decimal import Decimal
from pathlib import Path

from services.relief.parameters import DEFINITIONS
from shared.contracts.registry import Category

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "parameters.json"


def test_every_sample_value_is_one_that_may_be_entered() -> None:
    rows = [row for row in json.loads(SAMPLE.read_text()) if row["service"] == "relief"]
    assert {row["key"] for row in rows} == set(DEFINITIONS), "each has its sample value"
    for row in rows:
        definition = DEFINITIONS[row["key"]]
        assert definition.minimum <= Decimal(row["value"]) <= definition.maximum, row["key"]


def test_the_law_s_factors_bound_what_a_county_may_set() -> None:
    assert DEFINITIONS["temp.factor_max"].maximum == 6
    assert DEFINITIONS["temp.factor_special"].maximum == 12


def test_every_category_has_its_figures() -> None:
    for category in Category:
        for name in ("medical.deductible", "medical.ratio", "medical.cap", "premium.rate"):
            assert f"{name}.{category.value}" in DEFINITIONS
