"""Relief's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from shared.settings import ListenerSettings


class ReliefSettings(ListenerSettings):
    """What every listener reads (see shared.settings); relief has none of its own yet."""

    service: Literal["relief"] = "relief"


@lru_cache
def load() -> ReliefSettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return ReliefSettings()
