"""Files to the bank and back: how they are written, read, and what is wrong with a return (C13).

Both are CSV, lines ending in CRLF: the batch, the headings, a row a payment, and a trailer with
count, sum and SHA-256 over the bytes of all rows. A row of a return ends with a check of its own,
so that the very row is named that was altered on its way.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.relief.payments.rules import Programme
from shared.errors import Fault
from shared.money import ZERO
from shared.scrubbing import MASK

END = "\r\n"
BATCH, TOTAL = "批次", "合计"
SENT_HEADINGS = ("流水号", "户名", "账号", "金额", "用途")
RETURN_HEADINGS = ("流水号", "金额", "结果", "日期", "原因", "校验")
PURPOSES = {Programme.DIBAO: "最低生活保障金", Programme.TEKUN: "特困人员救助供养金"}
MOST_REASON = 100
_CHECK = 16
# An account has 8 to 30 digits: a bank's reason may quote one, and reasons are kept in plain.
_NUMBER = re.compile(r"\d{8,}")
_AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}", re.ASCII)


class Encoding(StrEnum):
    """How a bank's files are written."""

    GB18030 = "gb18030"
    UTF_8 = "utf-8"


class Result(StrEnum):
    """What the bank says of a row; stored by its name in English."""

    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"


RESULTS = {"成功": Result.PAID, "失败": Result.FAILED, "退回": Result.RETURNED}
OPEN = "open"
"""What a row is that the bank has said nothing of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRow:
    """One row of a return; ``line`` is its place in the file, the first being 1.

    ``reason`` is the bank's, with every number masked that could be an account.
    """

    line: int
    serial: int
    amount: Decimal
    result: Result
    day: date
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRow:
    """What was sent under a serial, and what the bank said of it last."""

    amount: Decimal
    status: str
    day: date | None


def is_approval_needed(total: Decimal, threshold: Decimal | None) -> bool:
    """Whether a run is approved by a second officer before it goes to the bank (R29, [GK]).

    Without a threshold in force every run is. Example: threshold 100,000: a run of 100,000.00
    needs none, one of 100,000.01 does.
    """
    return threshold is None or total > threshold


def serial_text(bank_file_id: UUID, serial: int) -> str:
    """A row's serial as the bank sees it, which no other file has: ``…4f0c-000001``."""
    return f"{bank_file_id.hex[-12:]}-{serial:06d}"


def purpose_of(programme: Programme, month: date) -> str:
    """What the payee reads. Example: dibao of 2026-12 -> ``最低生活保障金2026年12月``."""
    return f"{PURPOSES[programme]}{month.year}年{month.month}月"


def sent_line(serial: str, name: str, account: str, amount: Decimal, purpose: str) -> str:
    """One row of a file for the bank, with its line end."""
    return _line(serial, name, account, f"{amount:.2f}", purpose)


def checksum_of(lines: Iterable[str], encoding: Encoding) -> str:
    """SHA-256 over the bytes of these rows, in hexadecimal."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode(encoding))
    return digest.hexdigest()


def sent_file(
    bank_file_id: UUID, lines: Sequence[str], total: Decimal, encoding: Encoding
) -> tuple[bytes, str]:
    """The whole file for the bank, and the checksum that its trailer carries."""
    checksum = checksum_of(lines, encoding)
    heading = _line(BATCH, str(bank_file_id)) + _line(*SENT_HEADINGS)
    trailer = _line(TOTAL, str(len(lines)), f"{total:.2f}", checksum)
    return (heading + "".join(lines) + trailer).encode(encoding), checksum


def read_return(
    content: bytes, bank_file_id: UUID, encoding: Encoding
) -> tuple[list[ReturnRow], list[Fault]]:
    """The rows of a return of this file and every fault in them; with a fault, nothing counts.

    Faults are placed at ``line/3``: the third line of the file. Raises nothing.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as wrong:
        at = content.count(b"\n", 0, wrong.start) + 1
        return [], [_fault(at, "encoding_wrong", f"这一行不是{encoding}编码")]
    lines = text.split(END)
    cut = lines.pop()
    if cut or len(lines) < 4:
        at = max(len(lines) + bool(cut), 1)
        return [], [_fault(at, "file_cut_off", "文件不完整：缺少表头、明细或合计行")]
    faults = _frame_faults(lines, bank_file_id)
    rows: list[ReturnRow] = []
    for at, line in enumerate(lines[2:-1], start=3):
        row, wrong_with = _read_row(at, line, bank_file_id, encoding)
        faults += wrong_with
        rows += [row] if row is not None else []
    if not faults:
        faults = _trailer_faults(lines, rows, encoding) + _twice_faults(rows)
    return rows, faults


def return_faults(
    rows: Iterable[ReturnRow], sent: Mapping[int, SentRow], *, made_on: date, today: date
) -> list[Fault]:
    """Which rows do not fit what was sent, and what the bank said before.

    Money that is paid or failed was open until then; what comes back was paid before, on that day
    or earlier. Example: of a row that failed, ``paid`` and ``returned`` are refused alike.
    """
    faults: list[Fault] = []
    for row in rows:
        known = sent.get(row.serial)
        if known is None:
            faults.append(_fault(row.line, "serial_unknown", "这个流水号不在本批次内"))
            continue
        if row.amount != known.amount:
            message = f"金额与发出的不符：发出 {known.amount}，返回 {row.amount}"
            faults.append(_fault(row.line, "amount_differs", message))
        if not made_on <= row.day <= today:
            message = f"日期须在 {made_on} 与 {today} 之间"
            faults.append(_fault(row.line, "day_impossible", message))
        faults += _step_faults(row, known)
    return faults


def _step_faults(row: ReturnRow, known: SentRow) -> list[Fault]:
    if row.result is not Result.RETURNED:
        answered = known.status != OPEN
        message = f"银行对这一笔已有回复：{known.status}"
        return [_fault(row.line, "row_answered", message)] if answered else []
    if known.status != Result.PAID or known.day is None:
        return [_fault(row.line, "not_paid", f"只有已发放的才能退回，这一笔为：{known.status}")]
    if row.day < known.day:
        return [_fault(row.line, "day_impossible", f"退回不能早于发放日 {known.day}")]
    return []


def _frame_faults(lines: Sequence[str], bank_file_id: UUID) -> list[Fault]:
    faults = []
    if _cells(lines[0]) != [BATCH, str(bank_file_id)]:
        faults.append(_fault(1, "batch_differs", f"首行须为“{BATCH},{bank_file_id}”"))
    if _cells(lines[1]) != list(RETURN_HEADINGS):
        faults.append(_fault(2, "headings_wrong", f"表头须为：{','.join(RETURN_HEADINGS)}"))
    trailer = _cells(lines[-1])
    if len(trailer) != 4 or trailer[0] != TOTAL:
        message = f"末行须为“{TOTAL},笔数,金额,校验和”"
        faults.append(_fault(len(lines), "trailer_wrong", message))
    return faults


def _read_row(
    at: int, line: str, bank_file_id: UUID, encoding: Encoding
) -> tuple[ReturnRow | None, list[Fault]]:
    body, _, check = line.rpartition(",")
    if check != row_check(body, encoding):
        return None, [_fault(at, "row_altered", "这一行与其校验码不符：内容在途中被改动")]
    cells = _cells(line)
    if len(cells) != len(RETURN_HEADINGS):
        return None, [_fault(at, "row_wrong", f"须有{len(RETURN_HEADINGS)}列")]
    serial, amount, said, day, reason = cells[:5]
    faults = []
    number = _serial(serial, bank_file_id)
    if number is None:
        faults.append(_fault(at, "serial_unknown", "这个流水号不在本批次内"))
    if not _AMOUNT.fullmatch(amount):
        faults.append(_fault(at, "amount_wrong", "金额写作 650.00"))
    result = RESULTS.get(said)
    if result is None:
        faults.append(_fault(at, "result_unknown", f"结果须为：{'、'.join(RESULTS)}"))
    on = _day(day)
    if on is None:
        faults.append(_fault(at, "day_wrong", "日期写作 2026-12-05"))
    faults += _reason_faults(at, reason, result)
    if faults or number is None or result is None or on is None:
        return None, faults
    row = ReturnRow(
        line=at,
        serial=number,
        amount=Decimal(amount),
        result=result,
        day=on,
        reason=_NUMBER.sub(MASK, reason) or None,
    )
    return row, []


def row_check(body: str, encoding: Encoding) -> str:
    """The check at the end of a row of a return: 16 digits of the SHA-256 of what stands before."""
    return hashlib.sha256(body.encode(encoding)).hexdigest()[:_CHECK]


def _reason_faults(at: int, reason: str, result: Result | None) -> list[Fault]:
    if result in {Result.FAILED, Result.RETURNED} and not reason.strip():
        return [_fault(at, "reason_missing", "失败或退回须写明原因")]
    if len(reason) > MOST_REASON or not reason.isprintable():
        return [_fault(at, "reason_wrong", f"原因至多{MOST_REASON}字，不含控制字符")]
    return []


def _trailer_faults(
    lines: Sequence[str], rows: Sequence[ReturnRow], encoding: Encoding
) -> list[Fault]:
    at = len(lines)
    _, count, total, checksum = _cells(lines[-1])
    faults = []
    if count != str(len(rows)):
        message = f"合计笔数为 {count}，明细为 {len(rows)}"
        faults.append(_fault(at, "count_differs", message))
    summed = sum((row.amount for row in rows), ZERO)
    if total != f"{summed:.2f}":
        faults.append(_fault(at, "sum_differs", f"合计金额为 {total}，明细为 {summed:.2f}"))
    if checksum != checksum_of((line + END for line in lines[2:-1]), encoding):
        faults.append(_fault(at, "checksum_differs", "校验和与明细不符"))
    return faults


def _twice_faults(rows: Iterable[ReturnRow]) -> list[Fault]:
    first: dict[int, int] = {}
    faults = []
    for row in rows:
        if row.serial in first:
            message = f"同一流水号已在第 {first[row.serial]} 行"
            faults.append(_fault(row.line, "row_twice", message))
        first.setdefault(row.serial, row.line)
    return faults


def _serial(text: str, bank_file_id: UUID) -> int | None:
    prefix, _, number = text.partition("-")
    fits = prefix == bank_file_id.hex[-12:] and re.fullmatch(r"[0-9]{6,9}", number, re.ASCII)
    return int(number) if fits else None


def _day(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def _line(*cells: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=END).writerow(cells)
    return buffer.getvalue()


def _fault(line: int, code: str, message: str) -> Fault:
    return Fault(f"line/{line}", code, message)
