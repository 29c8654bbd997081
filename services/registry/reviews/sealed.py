"""Why a review found what it found, at rest: encrypted, since names and illnesses stand in it."""

from shared import crypto

_REASON = "registry.review_reason"


def seal_reason(reason: str) -> bytes:
    """A reason, encrypted."""
    return crypto.encrypt(reason.strip(), purpose=_REASON)


def show_reason(sealed: bytes) -> str:
    """A reason as written."""
    return crypto.decrypt(sealed, purpose=_REASON)
