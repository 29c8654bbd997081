"""Where the bytes of attachments lie: a folder, or a bucket that speaks S3; encrypted either way.

A file is stored once under the SHA-256 of what it holds, so the same photo handed in twice takes
no more room, and a name can never come to mean other bytes. S3 credentials come from the usual
``AWS_…`` variables.

The library's blocking calls run in a thread: its asynchronous ones may abort the process when the
interpreter ends while their own threads still run.
"""

import asyncio
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, from_url

from shared import crypto

_PURPOSE = "shared.attachment"


class AttachmentMissingError(LookupError):
    """The store holds no file of this name: it was restored without, or points elsewhere."""


async def put(url: str, sha256: str, content: bytes) -> None:
    """Keep ``content`` under the hex digest ``sha256`` unless it is there; on disk on return.

    Raises an ``obstore`` error or OSError if the store cannot be reached or written.
    """
    await asyncio.to_thread(_put, url, sha256, content)


async def get(url: str, sha256: str) -> bytes:
    """What was kept under the digest.

    Raises AttachmentMissingError, CryptoError where the bytes were changed or the key is gone, or
    an ``obstore`` error if the store cannot be reached.
    """
    return await asyncio.to_thread(_get, url, sha256)


def _put(url: str, sha256: str, content: bytes) -> None:
    store, name = _store(url), _name(sha256)
    sealed = crypto.encrypt_bytes(content, purpose=_PURPOSE)
    with suppress(AlreadyExistsError):  # the same bytes
        obstore.put(store, name, sealed, mode="create")
    if isinstance(store, LocalStore):
        _onto_disk(_folder(url) / name)


def _get(url: str, sha256: str) -> bytes:
    try:
        sealed = bytes(obstore.get(_store(url), _name(sha256)).bytes())
    except FileNotFoundError as missing:
        raise AttachmentMissingError(f"no attachment {sha256} in the store") from missing
    return crypto.decrypt_bytes(sealed, purpose=_PURPOSE)


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


@lru_cache
def _store(url: str) -> ObjectStore:
    """The store behind the setting; a folder is made, open to its owner alone."""
    if urlsplit(url).scheme != "file":
        return from_url(url)
    folder = _folder(url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(folder)


def _folder(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def _onto_disk(file: Path) -> None:
    """The library writes and renames, but does not wait for the disk."""
    for path in (file, file.parent, file.parent.parent):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
