"""ID numbers by GB 11643, as people write them."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared import identity
from shared.identity import IdNumber, InvalidIdNumberError, parse_id_number

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), "female"),
        ("440524188001010014", date(1880, 1, 1), "male"),
        ("33110219900307001X", date(1990, 3, 7), "male"),
        ("332522196508120021", date(1965, 8, 12), "female"),
        ("331127201009010031", date(2010, 9, 1), "male"),
    ],
)
def test_published_vectors(number: str, born: date, sex: str) -> None:
    assert parse_id_number(number, on=TODAY) == IdNumber(number, born, sex)  # type: ignore[arg-type] # a literal in the table


@pytest.mark.parametrize(
    "written",
    [
        "33110219900307001x",
        "３３１１０２１９９００３０７００１Ｘ",
        "331102 19900307 001X",
        "　331102\u00a01990\t0307001ｘ\n",
        "\ufeff33110219900307001X\u200b",
    ],
)
def test_spellings_of_one_number(written: str) -> None:
    assert parse_id_number(written, on=TODAY).number == "33110219900307001X"


def test_the_15_digit_form_is_brought_to_18() -> None:
    assert parse_id_number("110105491231002", on=TODAY).number == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "id_number_missing"),
        (" 　", "id_number_missing"),
        ("3311021990030700", "id_number_length"),
        ("33110219900307001XX", "id_number_length"),
        ("无", "id_number_length"),
        ("33110219900307O01X", "id_number_characters"),
        ("X3110219900307001X", "id_number_characters"),
        ("033102199003070010", "id_number_characters"),
        ("11010549123100X", "id_number_characters"),
        ("331102199002300019", "id_number_birth_date"),
        ("331102199013010019", "id_number_birth_date"),
        ("331102000101010019", "id_number_birth_date"),
        ("331102202611240019", "id_number_future_birth"),
        ("331102199003070011", "id_number_checksum"),
        ("331102199003070018", "id_number_checksum"),
    ],
)
def test_faults_have_a_code_and_a_chinese_message(number: str, code: str) -> None:
    with pytest.raises(InvalidIdNumberError) as refused:
        parse_id_number(number, on=TODAY)
    assert refused.value.code == code
    assert any("一" <= letter <= "鿿" for letter in refused.value.message_zh)
    assert not number.strip() or number not in str(refused.value) + refused.value.message_zh


def test_born_today_is_no_future_and_tomorrow_is() -> None:
    body = f"331124{TODAY:%Y%m%d}001"
    number = body + identity.check_digit(body)
    assert parse_id_number(number, on=TODAY).birth_date == TODAY
    with pytest.raises(InvalidIdNumberError, match="future_birth"):
        parse_id_number(number, on=date(2026, 11, 22))


def test_names_are_not_codes_but_codes_are_folded() -> None:
    assert identity.normalise_code("ａｂ－１２ ") == "AB-12"


areas = st.integers(100_000, 999_999)
births = st.dates(date(1900, 1, 1), TODAY)
orders = st.integers(0, 999)


@given(areas, births, orders)
def test_every_number_made_right_reads_back(area: int, born: date, order: int) -> None:
    body = f"{area}{born:%Y%m%d}{order:03d}"
    read = parse_id_number(body + identity.check_digit(body), on=TODAY)
    assert (read.birth_date, read.sex) == (born, "male" if order % 2 else "female")


@given(areas, births, orders, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_no_single_wrong_character_passes(
    area: int, born: date, order: int, place: int, wrong: str
) -> None:
    """GB 11643's promise: the weights catch every single slip."""
    body = f"{area}{born:%Y%m%d}{order:03d}"
    number = body + identity.check_digit(body)
    assume(number[place] != wrong)
    with pytest.raises(InvalidIdNumberError):
        parse_id_number(number[:place] + wrong + number[place + 1 :], on=TODAY)


def test_new_ids_are_version_7_and_rise() -> None:
    ids = [identity.new_id() for _ in range(2_000)]
    assert {type(made) for made in ids} == {UUID}
    assert {made.version for made in ids} == {7}
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
