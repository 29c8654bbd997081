"""The reference bank of development: answers relief's files for the bank as a real one would.

It knows the format from relief's page alone and shares no code with it. Whether a row is paid
follows from its account alone: one whose last digit is not its check digit (Luhn, ISO/IEC 7812)
does not exist, so the same file is always answered the same way.

``python -m deploy.local.bank FILE --on 2026-12-05 >RETURN``; ``--back SERIAL`` sends money back
that was paid before, and answers nothing else.
"""

import csv
import hashlib
import io
import sys
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

NO_ACCOUNT = "账号不存在"
CLOSED = "账户已销户"
_HEADINGS = ("流水号", "金额", "结果", "日期", "原因", "校验")


def answer(content: bytes, on: str, *, encoding: str = "gb18030") -> bytes:
    """The return that answers every row of this file: paid ``on`` this day, or no such account."""
    batch, rows = read(content, encoding)
    said = (
        (serial, amount, "成功", on, "")
        if exists(account)
        else (serial, amount, "失败", on, NO_ACCOUNT)
        for serial, _, account, amount, _ in rows
    )
    return written(batch, said, encoding)


def send_back(
    content: bytes, on: str, serials: Collection[str], *, encoding: str = "gb18030"
) -> bytes:
    """The return that sends back what was paid under these serials: the account was closed."""
    batch, rows = read(content, encoding)
    said = (
        (serial, amount, "退回", on, CLOSED)
        for serial, _, _, amount, _ in rows
        if serial in serials
    )
    return written(batch, said, encoding)


def exists(account: str) -> bool:
    """Whether the account's last digit is its check digit. Example: 79927398713 is one."""
    digits = [int(digit) for digit in reversed(account) if digit.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return bool(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def read(content: bytes, encoding: str) -> tuple[str, list[list[str]]]:
    """The batch and the rows of a file. Raises ValueError for one that is not whole."""
    (_, batch), _, *rows, trailer = csv.reader(io.StringIO(content.decode(encoding), newline=""))
    lines = content.split(b"\r\n")[2:-2]
    checksum = hashlib.sha256(b"".join(line + b"\r\n" for line in lines)).hexdigest()
    total = sum((Decimal(row[3]) for row in rows), Decimal("0.00"))
    if trailer != ["合计", str(len(rows)), f"{total:.2f}", checksum]:
        raise ValueError("the file is not whole: its trailer does not fit its rows")
    return batch, rows


def written(batch: str, said: Iterable[tuple[str, ...]], encoding: str) -> bytes:
    """A return of these rows: serial, amount, result, day, reason."""
    lines, total = [], Decimal("0.00")
    for row in said:
        body = _line(*row).removesuffix("\r\n")
        check = hashlib.sha256(body.encode(encoding)).hexdigest()[:16]
        lines.append(f"{body},{check}\r\n")
        total += Decimal(row[1])
    checksum = hashlib.sha256("".join(lines).encode(encoding)).hexdigest()
    head = _line("批次", batch) + _line(*_HEADINGS)
    tail = _line("合计", str(len(lines)), f"{total:.2f}", checksum)
    return (head + "".join(lines) + tail).encode(encoding)


def _line(*cells: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def main(
    file: Path,
    *,
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])],
    encoding: Annotated[str, typer.Option()] = "gb18030",
    back: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    """Answer a file; the return goes to standard output."""
    content, day = file.read_bytes(), f"{on:%Y-%m-%d}"
    if back:
        said = send_back(content, day, back, encoding=encoding)
    else:
        said = answer(content, day, encoding=encoding)
    sys.stdout.buffer.write(said)


if __name__ == "__main__":
    typer.run(main)
