"""Education's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from shared.settings import ListenerSettings


class EducationSettings(ListenerSettings):
    """What every listener reads (see shared.settings); education has none of its own yet."""

    service: Literal["education"] = "education"


@lru_cache
def load() -> EducationSettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return EducationSettings()
