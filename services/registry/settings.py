"""Registry's environment variables: those of every service, and its own."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from shared.settings import Settings


class RegistrySettings(Settings):
    """What every service reads (see shared.settings), and what only the registry does."""

    service: Literal["registry"] = "registry"

    public_leads_per_address: PositiveInt = 20
    """Leads that one address may report a day without a token; a village may share one."""
    public_leads_per_phone: PositiveInt = 3
    """Leads a day that name the same contact phone."""
    public_lead_questions_per_address: PositiveInt = 100
    """How often a day one address may ask what became of leads."""
    attachments_url: str = ""
    """Where photos and papers lie: ``file:///folder`` or ``s3://bucket``; without it none come."""
    verification_sources_url: str = ""
    """The gateway of the sources that a verification asks; without it questions wait."""
    verification_sources_token_file: Path | None = None
    """The file with the bearer token for that gateway, where it wants one."""
    verification_patience_hours: PositiveInt = 72
    """A question that finds no answer for so long is not returned; a late file may answer it."""


@lru_cache
def load() -> RegistrySettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return RegistrySettings()
