"""Encryption at rest of ID numbers, phones and accounts; masks for screens and logs.

AES-256-GCM, or SM4-GCM and SM3 where commercial cryptography is demanded (policy section 7). A blob
names its cipher and key, so old keys go on reading after a rotation and both ciphers may be mixed.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FieldCipher = Literal["AES-GCM", "SM4-GCM"]

_AES, _SM4 = 1, 2
_VERSIONS: dict[FieldCipher, int] = {"AES-GCM": _AES, "SM4-GCM": _SM4}
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_LAX_MODE = 0o027  # the group may read (mounted secrets are), nobody else may do anything


class CryptoError(ValueError):
    """A key ring or a blob cannot be used. The text holds neither keys nor what was encrypted."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one service: ``active`` encrypts, all decrypt, ``lookup_key`` never rotates.

    Rotating the look-up key, or changing the cipher of a service that already holds data, would
    orphan every stored look-up hash.
    """

    active: str
    keys: Mapping[str, bytes] = field(repr=False)
    lookup_key: bytes = field(repr=False)
    cipher: FieldCipher = "AES-GCM"

    def encrypt(self, data: bytes, *, purpose: str) -> bytes:
        """Version, key id, nonce and ciphertext. ``purpose`` must be named again to decrypt."""
        version = _VERSIONS[self.cipher]
        name = self.active.encode()
        head = bytes((version, len(name))) + name
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _seal(version, self.keys[self.active], nonce, data, head + purpose.encode())
        return head + nonce + sealed

    def decrypt(self, blob: bytes, *, purpose: str) -> bytes:
        """What was encrypted. Raises CryptoError for another key or purpose, or a changed blob."""
        version, name, nonce, sealed = _parts(blob)
        if name not in self.keys:
            raise UnknownKeyError(f"the key {name!r} is not in the key ring: restore it")
        head = blob[: 2 + len(name)]
        try:
            return _open(version, self.keys[name], nonce, sealed, head + purpose.encode())
        except InvalidTag as wrong:
            raise CryptoError(f"not encrypted with key {name!r} for {purpose!r}, or changed") from (
                wrong
            )

    def lookup_hash(self, text: str, *, purpose: str) -> bytes:
        """A keyed 32-byte hash to find ``text`` by, the same for the same text and purpose."""
        digest = hashes.SHA256() if self.cipher == "AES-GCM" else hashes.SM3()
        keyed = hmac.HMAC(self.lookup_key, digest)
        keyed.update(purpose.encode() + b"\0" + text.encode())
        return keyed.finalize()


class UnknownKeyError(CryptoError):
    """The blob's key is not in the ring: it was rotated in after this process read the file."""


class _Configured:
    """The ring of this process, read again when its file brings a key that is not known yet."""

    def __init__(self, file: Path, cipher: FieldCipher) -> None:
        self.file = file
        self.cipher = cipher
        self.ring = load(file, cipher)

    def reload(self) -> KeyRing:
        self.ring = load(self.file, self.cipher)
        return self.ring


_current: _Configured | None = None


def configure(key_file: Path, cipher: FieldCipher = "AES-GCM") -> None:
    """Read the key ring of this process. Raises CryptoError when it is missing, open or broken."""
    global _current  # noqa: PLW0603 (one key ring a process is the point)
    _current = _Configured(key_file, cipher)


def encrypt(text: str, *, purpose: str) -> bytes:
    """``text`` encrypted with the active key; never the same bytes twice."""
    return encrypt_bytes(text.encode(), purpose=purpose)


def decrypt(blob: bytes, *, purpose: str) -> str:
    """The text of a blob. Raises CryptoError for a wrong key or purpose, or a changed blob."""
    return decrypt_bytes(blob, purpose=purpose).decode()


def encrypt_bytes(data: bytes, *, purpose: str) -> bytes:
    """``data`` encrypted with the active key; never the same bytes twice."""
    return _ring().encrypt(data, purpose=purpose)


def decrypt_bytes(blob: bytes, *, purpose: str) -> bytes:
    """The data of a blob. Raises CryptoError for a wrong key or purpose, or a changed blob."""
    try:
        return _ring().decrypt(blob, purpose=purpose)
    except UnknownKeyError:
        return _configured().reload().decrypt(blob, purpose=purpose)


def lookup_hash(text: str, *, purpose: str) -> bytes:
    """A keyed hash to find ``text`` by; normalise the text first, for one letter changes it all."""
    return _ring().lookup_hash(text, purpose=purpose)


def load(file: Path, cipher: FieldCipher = "AES-GCM") -> KeyRing:
    """Read a key ring file. Raises CryptoError saying what is wrong, never what is in it."""
    try:
        if file.stat().st_mode & _LAX_MODE:
            raise CryptoError(f"the key file {file} is open to others: chmod 600 it")
        return _ring_of(json.loads(file.read_bytes()), cipher)
    except OSError as unreadable:
        raise CryptoError(f"the key file {file} cannot be read: {unreadable.strerror}") from None
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError):
        # Without the cause: its text may quote the file.
        raise CryptoError(f"the key file {file} is no key ring: restore it") from None


def new_key_file(path: Path) -> None:
    """Write a new key ring for its owner only. Raises FileExistsError: no key is overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ring = {"active": "k1", "keys": {"k1": _new_key()}, "lookup_key": _new_key()}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(ring, file)
        file.flush()
        os.fsync(file.fileno())


def rotate_key_file(path: Path) -> str:
    """Add a key to the ring and make it the active one; gives its id. Old keys stay and decrypt.

    Processes that run read the new key when they meet it, and use it after their next start.
    """
    load(path)
    ring = json.loads(path.read_bytes())
    name = f"k{max(int(key[1:]) for key in ring['keys'] if key[1:].isdigit()) + 1}"
    ring["keys"][name] = _new_key()
    ring["active"] = name
    draft = path.with_name(f".{path.name}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(ring, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return name


def mask_id_number(number: str) -> str:
    """``331102********0010``; what is not 18 characters long is masked whole."""
    if len(number) != 18:
        return "*" * len(number)
    return f"{number[:6]}********{number[14:]}"


def mask_phone(phone: str) -> str:
    """``138****0000`` for a mobile; of other numbers of 7 and more only the last four stay."""
    if len(phone) == 11:
        return f"{phone[:3]}****{phone[7:]}"
    return f"****{phone[-4:]}" if len(phone) >= 7 else "*" * len(phone)


def mask_account(account: str) -> str:
    """``****1234``: the last four, without the length; short ones are masked whole."""
    return f"****{account[-4:]}" if len(account) >= 8 else "*" * len(account)


def mask_name(name: str) -> str:
    """``张*``: the first character and one star, whatever the length; a single one is hidden."""
    return f"{name[0]}*" if len(name) > 1 else "*" * len(name)


def _ring() -> KeyRing:
    return _configured().ring


def _configured() -> _Configured:
    if _current is None:
        raise CryptoError("no key ring: crypto.configure() comes before the first use")
    return _current


def _ring_of(content: Mapping[str, object], cipher: FieldCipher) -> KeyRing:
    keys, active = content["keys"], content["active"]
    if not isinstance(keys, dict) or active not in keys:
        raise CryptoError("the key ring's active key is not among its keys")
    ring = {str(name): _key(key) for name, key in keys.items()}
    if any(not (name.isascii() and 0 < len(name) < 256) for name in ring):
        raise CryptoError("a key id of the key ring is empty, too long or not ASCII")
    return KeyRing(str(active), ring, _key(content["lookup_key"]), cipher)


def _key(encoded: object) -> bytes:
    try:
        key = base64.b64decode(str(encoded), validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise CryptoError(f"a key of the key ring is not {_KEY_BYTES} bytes in base64")
    return key


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _parts(blob: bytes) -> tuple[int, str, bytes, bytes]:
    start = 2 + (blob[1] if len(blob) > 1 else 0)
    if len(blob) < start + _NONCE_BYTES + _TAG_BYTES or blob[0] not in (_AES, _SM4):
        raise CryptoError("no encrypted blob: too short, or of an unknown version")
    name = blob[2:start].decode("latin-1")
    return blob[0], name, blob[start : start + _NONCE_BYTES], blob[start + _NONCE_BYTES :]


# One key of the ring serves both ciphers, each by its own derivation: they never share key bytes.
@lru_cache(maxsize=64)
def _derived(key: bytes, version: int) -> bytes:
    length = _KEY_BYTES if version == _AES else 16
    info = b"bangfu field AES-GCM" if version == _AES else b"bangfu field SM4-GCM"
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(key)


def _seal(version: int, key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
    if version == _AES:
        return AESGCM(_derived(key, version)).encrypt(nonce, data, bound)
    cipher = Cipher(algorithms.SM4(_derived(key, version)), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(bound)
    return cipher.update(data) + cipher.finalize() + cipher.tag


def _open(version: int, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    if version == _AES:
        return AESGCM(_derived(key, version)).decrypt(nonce, sealed, bound)
    mode = modes.GCM(nonce, sealed[-_TAG_BYTES:])
    cipher = Cipher(algorithms.SM4(_derived(key, version)), mode).decryptor()
    cipher.authenticate_additional_data(bound)
    return cipher.update(sealed[:-_TAG_BYTES]) + cipher.finalize()
