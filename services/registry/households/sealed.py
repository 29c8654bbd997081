"""Personal data at rest: ID numbers, phones and accounts encrypted, found by a keyed hash, masked.

Everything here takes or gives plain text for a moment only; nothing of it is logged or published.
"""

from shared import crypto, identity

_ID_NUMBER = "registry.id_number"
_PHONE = "registry.phone"
_ACCOUNT = "registry.account"
_OFFICIAL_NAME = "registry.official_name"
_WORDS = "registry.words"


def hash_id_number(number: str) -> bytes:
    """The look-up hash of a normalised 18-digit ID number."""
    return crypto.lookup_hash(number, purpose=_ID_NUMBER)


def seal_id_number(number: str) -> bytes:
    """A normalised ID number, encrypted."""
    return crypto.encrypt(number, purpose=_ID_NUMBER)


def seal_phone(phone: str | None) -> bytes | None:
    """A phone number in plain digits, encrypted; nothing for an empty one."""
    return crypto.encrypt(identity.normalise_code(phone), purpose=_PHONE) if phone else None


def seal_account(account: str | None) -> bytes | None:
    """A bank account in plain digits, encrypted; nothing for an empty one."""
    return crypto.encrypt(identity.normalise_code(account), purpose=_ACCOUNT) if account else None


def hash_phone(phone: str | None) -> bytes | None:
    """The look-up hash of a phone number in plain digits; nothing for an empty one."""
    return crypto.lookup_hash(identity.normalise_code(phone), purpose=_PHONE) if phone else None


def rehash_phone(sealed: bytes) -> bytes | None:
    """The look-up hash of a phone that is stored."""
    return hash_phone(crypto.decrypt(sealed, purpose=_PHONE))


def same_phone(sealed: bytes | None, phone: str) -> bool:
    """Whether a phone is the one that is stored."""
    return show_phone(sealed, plain=True) == (identity.normalise_code(phone) or None)


def same_account(sealed: bytes | None, account: str) -> bool:
    """Whether an account is the one that is stored."""
    return show_account(sealed, plain=True) == (identity.normalise_code(account) or None)


def show_id_number(sealed: bytes | None, *, plain: bool) -> str | None:
    """An ID number, masked unless ``plain`` (scope pii:read)."""
    if sealed is None:
        return None
    number = crypto.decrypt(sealed, purpose=_ID_NUMBER)
    return number if plain else crypto.mask_id_number(number)


def show_phone(sealed: bytes | None, *, plain: bool) -> str | None:
    """A phone number, masked unless ``plain``."""
    if sealed is None:
        return None
    phone = crypto.decrypt(sealed, purpose=_PHONE)
    return phone if plain else crypto.mask_phone(phone)


def show_account(sealed: bytes | None, *, plain: bool) -> str | None:
    """A bank account, masked unless ``plain``."""
    if sealed is None:
        return None
    account = crypto.decrypt(sealed, purpose=_ACCOUNT)
    return account if plain else crypto.mask_account(account)


def show_name(name: str, *, plain: bool) -> str:
    """A name, masked unless ``plain``."""
    return name if plain else crypto.mask_name(name)


def seal_official_name(name: str) -> bytes:
    """An official's name, encrypted."""
    return crypto.encrypt(name, purpose=_OFFICIAL_NAME)


def show_official_name(sealed: bytes, *, plain: bool) -> str:
    """An official's name, masked unless ``plain``."""
    return show_name(crypto.decrypt(sealed, purpose=_OFFICIAL_NAME), plain=plain)


def seal_words(words: str) -> bytes:
    """What an officer wrote about a household, encrypted whole: names and illnesses stand in it."""
    return crypto.encrypt(words.strip(), purpose=_WORDS)


def show_words(sealed: bytes | None) -> str:
    """The words as written; empty where there are none."""
    return crypto.decrypt(sealed, purpose=_WORDS) if sealed else ""


def contact_columns(phone: str | None, account: str | None) -> dict[str, bytes | None]:
    """The sealed columns for a phone and an account; None leaves one out, "" empties it."""
    columns: dict[str, bytes | None] = {}
    if phone is not None:
        columns["phone_encrypted"] = seal_phone(phone)
        columns["phone_hash"] = hash_phone(phone)
    if account is not None:
        columns["account_encrypted"] = seal_account(account)
    return columns
