"""Registry's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from shared.settings import Settings


class RegistrySettings(Settings):
    """What every service reads (see shared.settings); registry has none of its own yet."""

    service: Literal["registry"] = "registry"


@lru_cache
def load() -> RegistrySettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return RegistrySettings()
