"""Housing's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from shared.settings import ListenerSettings


class HousingSettings(ListenerSettings):
    """What every listener reads (see shared.settings); housing has none of its own yet."""

    service: Literal["housing"] = "housing"


@lru_cache
def load() -> HousingSettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return HousingSettings()
