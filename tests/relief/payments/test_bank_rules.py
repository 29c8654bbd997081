"""Files to the bank and back: what is written is read, and nothing that is wrong gets in."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from deploy.local import bank
from services.relief.payments import bank_rules as rules
from services.relief.payments.bank_rules import Encoding, Result, ReturnRow, SentRow
from services.relief.payments.rules import Programme

FILE = UUID("0190d5e0-0000-7000-8000-00000000abcd")
DAY = "2026-12-05"
GOOD, BAD = "79927398713", "79927398710"


def sent(*accounts: str, encoding: Encoding = Encoding.GB18030) -> bytes:
    lines = [
        rules.sent_line(
            rules.serial_text(FILE, at), "欧阳,𬱖", account, Decimal("650.00"), "低保金2026年12月"
        )
        for at, account in enumerate(accounts, start=1)
    ]
    total = Decimal(650 * len(accounts))
    return rules.sent_file(FILE, lines, total, encoding)[0]


def returned(*accounts: str, encoding: Encoding = Encoding.GB18030) -> bytes:
    return bank.answer(sent(*accounts, encoding=encoding), DAY, encoding=encoding)


@pytest.mark.parametrize(
    ("total", "threshold", "needed"),
    [
        ("99999.99", "100000", False),
        ("100000.00", "100000", False),
        ("100000.01", "100000", True),
        ("0.01", "0", True),
        ("0.01", None, True),
    ],
)
def test_above_the_threshold_a_second_officer_approves(
    total: str, threshold: str | None, needed: bool
) -> None:
    limit = None if threshold is None else Decimal(threshold)
    assert rules.is_approval_needed(Decimal(total), limit) is needed


def test_a_file_reads_as_the_page_shows_it() -> None:
    """The example of relief's README."""
    lines = [
        rules.sent_line(
            "00000000abcd-000001", "张三丰", GOOD, Decimal(650), "最低生活保障金2026年12月"
        )
    ]
    content, checksum = rules.sent_file(FILE, lines, Decimal(650), Encoding.UTF_8)
    assert content.decode().split("\r\n") == [
        f"批次,{FILE}",
        "流水号,户名,账号,金额,用途",
        f"00000000abcd-000001,张三丰,{GOOD},650.00,最低生活保障金2026年12月",
        f"合计,1,650.00,{checksum}",
        "",
    ]
    assert rules.purpose_of(Programme.DIBAO, date(2026, 12, 1)) == "最低生活保障金2026年12月"
    assert rules.serial_text(FILE, 1) == "00000000abcd-000001"


@pytest.mark.parametrize("encoding", Encoding)
def test_what_the_bank_says_is_read(encoding: Encoding) -> None:
    rows, faults = rules.read_return(returned(GOOD, BAD, encoding=encoding), FILE, encoding)
    assert faults == []
    assert [(row.serial, row.result, row.reason, row.line) for row in rows] == [
        (1, Result.PAID, None, 3),
        (2, Result.FAILED, "账号不存在", 4),
    ]
    assert {(row.amount, row.day) for row in rows} == {(Decimal("650.00"), date(2026, 12, 5))}


@pytest.mark.parametrize("encoding", Encoding)
def test_a_return_altered_by_any_one_byte_is_refused_at_its_line(encoding: Encoding) -> None:
    good = returned(GOOD, BAD, encoding=encoding)
    for at in range(len(good)):
        line = good.count(b"\n", 0, at) + 1
        for flipped in (good[at] ^ 1, good[at] ^ 0x20, (good[at] + 1) % 256):
            altered = good[:at] + bytes((flipped,)) + good[at + 1 :]
            _, faults = rules.read_return(altered, FILE, encoding)
            assert faults, (at, altered)
            if good[at : at + 1] not in b"\r\n":
                assert f"line/{line}" in {fault.where for fault in faults}, (at, faults)


def _without_a_row(good: str) -> str:
    lines = good.split("\r\n")
    return "\r\n".join([*lines[:3], *lines[4:]])


def _row_twice(good: str) -> str:
    """The bank itself wrote one row twice, and reckoned its trailer over both."""
    head, names, one, *_ = good.split("\r\n")
    rows = [one + "\r\n"] * 2
    checksum = rules.checksum_of(rows, Encoding.UTF_8)
    return f"{head}\r\n{names}\r\n{''.join(rows)}合计,2,1300.00,{checksum}\r\n"


def _rewritten(pattern: str, by: str) -> Callable[[str], str]:
    """The bank wrote another thing into its first row, with a check and a checksum that fit."""

    def rewrite(good: str) -> str:
        head, names, one, two, *_ = good.split("\r\n")
        body = re.sub(pattern, by, one.rpartition(",")[0], count=1)
        rows = [f"{body},{rules.row_check(body, Encoding.UTF_8)}\r\n", two + "\r\n"]
        checksum = rules.checksum_of(rows, Encoding.UTF_8)
        return f"{head}\r\n{names}\r\n{''.join(rows)}合计,2,1300.00,{checksum}\r\n"

    return rewrite


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (_without_a_row, {("line/4", "count_differs"), ("line/4", "sum_differs")}),
        (_row_twice, {("line/4", "row_twice")}),
        (lambda good: good[:-1], {("line/5", "file_cut_off")}),
        (lambda _: "", {("line/1", "file_cut_off")}),
        (lambda good: good.replace("abcd", "abce", 1), {("line/1", "batch_differs")}),
        (_rewritten("abcd-", "abce-"), {("line/3", "serial_unknown")}),
        (_rewritten("-000001", "-00001"), {("line/3", "serial_unknown")}),
        (_rewritten("650.00", "650"), {("line/3", "amount_wrong")}),
        (_rewritten("650.00", "-1.00"), {("line/3", "amount_wrong")}),
        (_rewritten("650.00", "651.00"), {("line/5", "sum_differs")}),
        (_rewritten("成功", "也许"), {("line/3", "result_unknown")}),
        (_rewritten("成功", "失败"), {("line/3", "reason_missing")}),
        (_rewritten("2026-12-05", "2026-02-30"), {("line/3", "day_wrong")}),
        (_rewritten("2026-12-05", "20261205"), {("line/3", "day_wrong")}),
        (_rewritten("2026-12-05,", "2026-12-05"), {("line/3", "row_wrong")}),
        (_rewritten("$", "因" * 101), {("line/3", "reason_wrong")}),
        (_rewritten("$", "\x07"), {("line/3", "reason_wrong")}),
        (
            lambda good: good.replace("合计,2,", "合计,1,").replace("1300.00", "1300.01"),
            {("line/5", "count_differs"), ("line/5", "sum_differs")},
        ),
    ],
)
def test_a_return_that_is_wrong_is_told_where(
    change: Callable[[str], str], faults: set[tuple[str, str]]
) -> None:
    good = returned(GOOD, GOOD, encoding=Encoding.UTF_8).decode()
    _, found = rules.read_return(change(good).encode(), FILE, Encoding.UTF_8)
    assert faults <= {(fault.where, fault.code) for fault in found}, found


MADE, TODAY = date(2026, 12, 3), date(2026, 12, 20)


def row(result: Result, day: date = date(2026, 12, 5), **facts: object) -> ReturnRow:
    known = {"line": 3, "serial": 1, "amount": Decimal("650.00"), "reason": None}
    return ReturnRow(result=result, day=day, **(known | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (row(Result.PAID), "open", None),
        (row(Result.FAILED), "open", None),
        (row(Result.RETURNED), "paid", None),
        (row(Result.PAID, MADE), "open", None),
        (row(Result.PAID, date(2026, 12, 2)), "open", "day_impossible"),
        (row(Result.PAID, TODAY), "open", None),
        (row(Result.PAID, date(2026, 12, 21)), "open", "day_impossible"),
        (row(Result.RETURNED, date(2026, 12, 4)), "paid", None),
        (row(Result.RETURNED, MADE), "paid", "day_impossible"),
        (row(Result.PAID), "paid", "row_answered"),
        (row(Result.PAID), "failed", "row_answered"),
        (row(Result.FAILED), "paid", "row_answered"),
        (row(Result.FAILED), "returned", "row_answered"),
        (row(Result.RETURNED), "open", "not_paid"),
        (row(Result.RETURNED), "failed", "not_paid"),
        (row(Result.RETURNED), "returned", "not_paid"),
        (row(Result.PAID, serial=2), "open", "serial_unknown"),
        (row(Result.PAID, amount=Decimal("650.01")), "open", "amount_differs"),
    ],
)
def test_a_row_fits_what_was_sent_and_said_before(
    said: ReturnRow, status: str, code: str | None
) -> None:
    day = None if status == "open" else date(2026, 12, 4)
    known = {1: SentRow(amount=Decimal("650.00"), status=status, day=day)}
    faults = rules.return_faults([said], known, made_on=MADE, today=TODAY)
    assert [fault.code for fault in faults] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("account", "there"), [(GOOD, True), (BAD, False), ("", False), ("0", True), ("1", False)]
)
def test_the_reference_bank_knows_an_account_by_its_check_digit(account: str, there: bool) -> None:
    assert bank.exists(account) is there


def test_the_reference_bank_refuses_a_file_that_is_not_whole() -> None:
    for content in (sent(GOOD).replace(b"650.00", b"651.00", 1), sent(GOOD)[:-9]):
        with pytest.raises(ValueError, match="not whole"):
            bank.answer(content, DAY)
