"""Two workbooks handed in as one roster: packed to be kept as one file, and taken out again.

Policy section 9 (Excel habits): 家庭查询_日期.xlsx has a row a household, 人员查询_日期.xlsx a row
a person. What is packed is the files as they came, so that they can be given back.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from services.registry.rosters.archive import UnusableWorkbookError

File = tuple[str, bytes]
"""A name and what is in it."""

_COMMENT: Final = b"bangfu roster pair"
_COUNT: Final = 2
_LONGEST_NAME: Final = 60
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f!/\\:*?\"<>|\[\]]")
"""What cannot stand in a file's name, or would be read as the end of one before a cell."""
_LONG_NUMBER: Final = re.compile(r"[0-9]{15,}[Xx]?")
"""May be somebody's ID number; the name is shown in reports."""


def pack(files: Sequence[tuple[str | None, bytes]]) -> bytes:
    """One file that holds both; each keeps its name, cleaned, and told apart from the other's."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        packed.comment = _COMMENT
        names = [_fit(name, number) for number, (name, _) in enumerate(files, start=1)]
        twice = len(set(names)) < len(names)
        for number, (name, (_, content)) in enumerate(zip(names, files, strict=True), start=1):
            packed.writestr(f"{number}/{f'{number}_{name}' if twice else name}", content)
    return target.getvalue()


def unpack(content: bytes) -> list[File] | None:
    """The two files of a pair; None for anything else. Nothing is unpacked that is not plain."""
    if not content.startswith(b"PK") or not content.endswith(_COMMENT):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
            plain = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            small = sum(entry.file_size for entry in entries) <= len(content)
            if packed.comment != _COMMENT or len(entries) != _COUNT or not (plain and small):
                return None
            return [(PurePosixPath(entry.filename).name, packed.read(entry)) for entry in entries]
    except (zipfile.BadZipFile, ValueError, OSError) as broken:
        raise UnusableWorkbookError("workbook_damaged", "文件已损坏，无法打开。") from broken


def _fit(name: str | None, number: int) -> str:
    cleaned = _LONG_NUMBER.sub("", _UNFIT.sub("", name or "")).strip(" .")[-_LONGEST_NAME:]
    return cleaned or f"文件{number}.xlsx"
