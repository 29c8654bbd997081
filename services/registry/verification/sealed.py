"""Names of obligors and guardians, answers and reports at rest: encrypted, each for its purpose."""

from typing import Any

import orjson

from shared import crypto

_NAME = "registry.verification.name"
_ANSWER = "registry.verification.answer"
_REPORT = "registry.verification.report"


def seal_name(name: str) -> bytes:
    """A name, encrypted."""
    return crypto.encrypt(name, purpose=_NAME)


def show_name(sealed: bytes | None, *, plain: bool) -> str | None:
    """A name, masked unless ``plain``."""
    if sealed is None:
        return None
    name = crypto.decrypt(sealed, purpose=_NAME)
    return name if plain else crypto.mask_name(name)


def seal_answer(answer: Any) -> bytes:
    """An answer's JSON, encrypted."""
    return crypto.encrypt_bytes(orjson.dumps(answer), purpose=_ANSWER)


def read_answer(sealed: bytes) -> Any:
    """What ``seal_answer`` took."""
    return orjson.loads(crypto.decrypt_bytes(sealed, purpose=_ANSWER))


def seal_report(content: Any) -> bytes:
    """A report's JSON, encrypted."""
    return crypto.encrypt_bytes(orjson.dumps(content), purpose=_REPORT)


def read_report(sealed: bytes) -> Any:
    """What ``seal_report`` took."""
    return orjson.loads(crypto.decrypt_bytes(sealed, purpose=_REPORT))
