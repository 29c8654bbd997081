"""Receipt numbers: not to be guessed, read however they are written, wrong ones noticed."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import receipts
from shared.receipts import InvalidReceiptError

CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
drawn = st.text(alphabet=CHARACTERS, min_size=16, max_size=16)


def test_every_number_is_another_and_reads_back() -> None:
    made = [receipts.new() for _ in range(200)]

    assert len(set(made)) == 200
    for number in made:
        assert [len(group) for group in number.split("-")] == [4, 4, 4, 4, 2]
        assert receipts.parse(number) == number.replace("-", "")
        assert number.replace("-", "") not in receipts.hash_of(number).upper()


@pytest.mark.parametrize(
    "written",
    [
        "7K2M-9QXW-01AB-CDEF-{}",
        "7k2m9qxw01abcdef{}",
        " 7K2M 9QXW OLAB CDEF {} ",
        "７Ｋ２Ｍ－９ＱＸＷ－０１ＡＢ－ＣＤＥＦ－{}",
    ],
)
def test_it_is_read_however_it_is_written(written: str) -> None:
    whole = "7K2M9QXW01ABCDEF" + receipts.checks_of("7K2M9QXW01ABCDEF")
    given_one = written.format(whole[-2:])

    assert receipts.parse(given_one) == whole
    assert receipts.hash_of(given_one) == receipts.hash_of(whole)


@given(drawn, st.data())
def test_one_wrong_character_or_two_swapped_are_noticed(number: str, data: st.DataObject) -> None:
    checks = receipts.checks_of(number)
    at = data.draw(st.integers(0, 15))
    other = data.draw(st.sampled_from([each for each in CHARACTERS if each != number[at]]))

    with pytest.raises(InvalidReceiptError):
        receipts.parse(number[:at] + other + number[at + 1 :] + checks)
    for one, two in itertools.pairwise(range(16)):
        if number[one] != number[two]:
            swapped = number[:one] + number[two] + number[one] + number[two + 1 :]
            with pytest.raises(InvalidReceiptError):
                receipts.parse(swapped + checks)


@pytest.mark.parametrize(
    "written", ["", "7K2M", "7K2M9QXW01ABCDEU42", "7K2M9QXW01ABCDEF420", "号" * 18]
)
def test_what_cannot_be_a_number_is_refused_without_a_quote(written: str) -> None:
    with pytest.raises(InvalidReceiptError) as refused:
        receipts.parse(written)
    assert not written or written not in str(refused.value)
