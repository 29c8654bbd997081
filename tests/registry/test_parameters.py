"""The registry's parameters: the sample sets each that the law leaves open, within its bounds."""

import json
from decimal import Decimal
from pathlib import Path

from services.registry.determination import parameters as determination
from services.registry.parameters import DEFINITIONS

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "parameters.json"
BY_LAW = determination.DEFINITIONS.keys()
"""Of these the law's own figure holds where a county has set none."""


def test_the_sample_sets_every_parameter_of_the_registry_within_its_bounds() -> None:
    rows = {
        row["key"]: Decimal(row["value"])
        for row in json.loads(SAMPLE.read_text())
        if row["service"] == "registry"
    }

    assert rows.keys() == DEFINITIONS.keys() - BY_LAW
    for key, value in rows.items():
        assert DEFINITIONS[key].minimum <= value <= DEFINITIONS[key].maximum, key
