"""What of notices is encrypted at rest: the sheet with the applicant's name, and objections."""

from collections.abc import Sequence
from typing import cast

import orjson

from shared import crypto

_SHEET = "notify.notice_sheet"
_OBJECTION = "notify.notice_objection"


def seal_sheet(lines: Sequence[str]) -> bytes:
    """The lines of a notice, encrypted."""
    return crypto.encrypt_bytes(orjson.dumps(list(lines)), purpose=_SHEET)


def show_sheet(sealed: bytes) -> list[str]:
    """The lines of a notice as they were posted."""
    return cast("list[str]", orjson.loads(crypto.decrypt_bytes(sealed, purpose=_SHEET)))


def seal(text: str) -> bytes:
    """Words of an objection or of its answer, encrypted."""
    return crypto.encrypt(text, purpose=_OBJECTION)


def show(sealed: bytes | None) -> str | None:
    """Words that were sealed; None where there were none."""
    return None if sealed is None else crypto.decrypt(sealed, purpose=_OBJECTION)
