"""What may be opened as a workbook at all: looked at in the zip directory, before anything unpacks.

Roster import, issue 2: not Excel, a PDF renamed, an empty or protected file, a zip bomb.
"""

import io
import zipfile
from typing import Final

MAX_FILE: Final = 30 * 1024 * 1024
MAX_UNPACKED: Final = 320 * 1024 * 1024
"""About twice what 100,000 rows of the template take."""
MAX_ENTRIES: Final = 2_000
MAX_RATIO: Final = 150
RATIO_MATTERS_FROM: Final = 16 * 1024 * 1024

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_FLAG = 0x1


class UnusableWorkbookError(ValueError):
    """The file as a whole is refused. ``code`` is stable; ``detail`` is Chinese, for the officer.

    ``faults`` are (cell, code, message) triples where single cells are to blame.
    """

    def __init__(
        self, code: str, detail: str, faults: tuple[tuple[str, str, str], ...] = ()
    ) -> None:
        super().__init__(code, detail, faults)  # the arguments, so that it crosses processes
        self.code = code
        self.detail = detail
        self.faults = faults


def check(content: bytes) -> zipfile.ZipFile:
    """The opened zip of an acceptable workbook; raises UnusableWorkbookError otherwise."""
    _check_kind(content)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as broken:
        raise UnusableWorkbookError(
            "workbook_damaged", "文件已损坏，无法打开。请在 Excel 中另存为 .xlsx 后重新上传。"
        ) from broken
    _check_sizes(entries, len(content))
    if "xl/workbook.xml" not in archive.namelist():
        raise _not_excel("压缩包里没有工作簿（可能是 Word、xlsb 或普通压缩文件）")
    return archive


def _check_kind(content: bytes) -> None:
    if not content:
        raise UnusableWorkbookError("workbook_empty", "上传的文件是空的（0 字节）。")
    if len(content) > MAX_FILE:
        raise UnusableWorkbookError("workbook_too_large", "文件超过 30 MB，请按乡镇拆分后上传。")
    if content.startswith(_OLE):
        raise _protected_or_old(content)
    if content.startswith(b"%PDF"):
        raise _not_excel("文件内容是 PDF，只是改了扩展名")
    if not content.startswith(b"PK"):
        raise _not_excel("文件内容不是 Excel 工作簿")


def _not_excel(why: str) -> UnusableWorkbookError:
    return UnusableWorkbookError("workbook_not_excel", f"{why}。请上传 .xlsx 格式的花名册。")


def _protected_or_old(content: bytes) -> UnusableWorkbookError:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return UnusableWorkbookError(
            "workbook_protected", "工作簿设有打开密码。请取消密码保护后重新上传。"
        )
    return _not_excel("文件是旧版 .xls 格式或其他 Office 文件")


def _check_sizes(entries: list[zipfile.ZipInfo], packed: int) -> None:
    """Bounds what unpacking can cost; entries that share bytes are a bomb whatever they declare."""
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise UnusableWorkbookError(
            "workbook_protected", "工作簿的压缩包设有密码。请取消密码保护后重新上传。"
        )
    unpacked = sum(entry.file_size for entry in entries)
    too_dense = unpacked > max(RATIO_MATTERS_FROM, packed * MAX_RATIO)
    shares_bytes = sum(entry.compress_size for entry in entries) > packed
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or too_dense or shares_bytes:
        raise UnusableWorkbookError(
            "workbook_unpacks_too_large",
            f"工作簿解压后过大（{len(entries)} 个部件，{unpacked // 1_000_000} MB），不予解析。",
        )
