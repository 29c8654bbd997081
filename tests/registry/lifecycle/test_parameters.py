"""The registry's parameters: the sample sets each of them, within its bounds."""

import json
from decimal import Decimal
from pathlib import Path

from services.registry.lifecycle import parameters as lifecycle
from services.registry.verification import parameters as verification

DEFINITIONS = lifecycle.DEFINITIONS | verification.DEFINITIONS
SAMPLE = Path(__file__).parents[3] / "deploy" / "sample" / "parameters.json"


def test_the_sample_sets_every_parameter_of_the_registry_within_its_bounds() -> None:
    rows = {
        row["key"]: Decimal(row["value"])
        for row in json.loads(SAMPLE.read_text())
        if row["service"] == "registry"
    }

    assert rows.keys() == DEFINITIONS.keys()
    for key, value in rows.items():
        assert DEFINITIONS[key].minimum <= value <= DEFINITIONS[key].maximum, key
