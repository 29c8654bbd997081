"""Employment's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from shared.settings import ListenerSettings


class EmploymentSettings(ListenerSettings):
    """What every listener reads (see shared.settings); employment has none of its own yet."""

    service: Literal["employment"] = "employment"


@lru_cache
def load() -> EmploymentSettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return EmploymentSettings()
