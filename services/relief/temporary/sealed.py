"""What officers write of a household's trouble, encrypted: names and illnesses stand in it."""

from shared import crypto

_WORDS = "relief.words"


def seal(words: str | None) -> bytes | None:
    """The words, encrypted; nothing for none."""
    return crypto.encrypt(words.strip(), purpose=_WORDS) if words and words.strip() else None


def show(sealed: bytes | None) -> str | None:
    """The words as written; None where there are none."""
    return crypto.decrypt(sealed, purpose=_WORDS) if sealed else None
