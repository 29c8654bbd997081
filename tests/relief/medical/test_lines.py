"""Lines of a settlement file, one at a time: what is taken and what refuses them."""

from datetime import date
from typing import Any

import orjson
import pytest

from services.relief.medical.lines import Read, read_line

TODAY = date(2026, 5, 5)
GOOD: dict[str, Any] = {
    "settlement_no": "A-2026.0001",
    "person_id": "0195b3c4-0000-7000-8000-000000000001",
    "discharged_on": "2026-05-05",
    "cost": "60000.00",
    "off_list": "5000",
    "basic_paid": "30000",
    "critical_paid": "8000",
    "other_paid": "0",
}


def read(**changes: Any) -> Read:
    return read_line(1, orjson.dumps(GOOD | changes), today=TODAY)


def test_a_whole_line_is_read() -> None:
    found = read()
    assert (found.faults, found.settlement_no) == ((), "A-2026.0001")
    assert found.line


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"cost": "60000.001"}, "#/cost"),
        ({"basic_paid": "-0.01"}, "#/basic_paid"),
        ({"off_list": "NaN"}, "#/off_list"),
        ({"other_paid": "Infinity"}, "#/other_paid"),
        ({"cost": "99999999999.99"}, "#/cost"),
        ({"person_id": "33110219900307001X"}, "#/person_id"),
        ({"discharged_on": "2026-02-30"}, "#/discharged_on"),
        ({"discharged_on": 1777680000}, "#/discharged_on"),
        ({"cost": True}, "#/cost"),
        ({"settlement_no": ""}, "#/settlement_no"),
        ({"settlement_no": "x" * 65}, "#/settlement_no"),
        ({"patient_name": "somebody"}, "#/patient_name"),
    ],
)
def test_what_is_not_of_the_form_is_named_and_not_quoted(
    changes: dict[str, Any], where: str
) -> None:
    found = read(**changes)
    assert [(fault.where, fault.code) for fault in found.faults] == [(where, "line_invalid")]
    assert "somebody" not in repr(found)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"basic_paid": "52000"}, []),
        ({"basic_paid": "52000.01"}, ["payouts_above_cost"]),
        ({"off_list": "60000"}, []),
        ({"off_list": "60000.01"}, ["off_list_above_cost"]),
        ({"discharged_on": "2026-05-06"}, ["discharge_to_come"]),
        ({"discharged_on": "2025-01-01"}, []),
        ({"discharged_on": "2024-12-31"}, ["discharge_too_old"]),
        (
            {"cost": "1", "discharged_on": "2026-05-06"},
            ["payouts_above_cost", "off_list_above_cost", "discharge_to_come"],
        ),
    ],
)
def test_every_fault_of_a_line_is_listed(changes: dict[str, Any], codes: list[str]) -> None:
    assert [fault.code for fault in read(**changes).faults] == codes


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"null", b'{"cost": 1}'])
def test_what_is_no_line_at_all_is_refused(raw: bytes) -> None:
    found = read_line(3, raw, today=TODAY)
    assert (found.at, found.line) == (3, None)
    assert found.faults
