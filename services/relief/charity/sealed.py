"""Names, contacts and free words of charity, encrypted at rest, each for its own purpose."""

from shared import crypto

NAME = "charity.name"
CONTACT = "charity.contact"
WORDS = "charity.words"


def seal(text: str | None, purpose: str) -> bytes | None:
    """``text`` encrypted without the blanks around it; None where nothing is left of it."""
    stripped = (text or "").strip()
    return crypto.encrypt(stripped, purpose=purpose) if stripped else None


def unseal(blob: bytes | None, purpose: str) -> str | None:
    """What was sealed; None where nothing was."""
    return None if blob is None else crypto.decrypt(blob, purpose=purpose)


def masked_name(blob: bytes | None, *, whole: bool) -> str | None:
    """A person's name, whole or as its first character: ``张*``."""
    name = unseal(blob, NAME)
    return name if name is None or whole else crypto.mask_name(name)


def masked_contact(blob: bytes | None, *, whole: bool) -> str | None:
    """A contact, whole or masked as a phone number is: ``138****0000``."""
    contact = unseal(blob, CONTACT)
    return contact if contact is None or whole else crypto.mask_phone(contact)
