"""Notify's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from shared.settings import Settings


class NotifySettings(Settings):
    """What every service reads (see shared.settings); notify has none of its own yet."""

    service: Literal["notify"] = "notify"


@lru_cache
def load() -> NotifySettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return NotifySettings()
