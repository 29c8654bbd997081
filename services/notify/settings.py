"""Notify's environment variables: those of every service, and its own."""

from functools import lru_cache
from typing import Literal

from pydantic import Field, PositiveInt

from shared.settings import ListenerSettings


class NotifySettings(ListenerSettings):
    """What every listener reads (see shared.settings), and what only notify does."""

    service: Literal["notify"] = "notify"

    complaint_phones: dict[str, str] = Field(default_factory=dict)
    """The complaint phone that notices print, by county code; without one the bureau alone."""

    public_feedback_questions_per_address: PositiveInt = 100
    """How often a day one address may ask what came of what it told, without a token."""

    oidc_issuer: str = ""
    """The OIDC provider where officers sign in to the console; the token issuer when left out."""
    console_client_id: str = "bangfu-console"
    """The console's name there; a public client with PKCE."""
    console_url: str = ""
    """The console's address as browsers see it, without a slash; this api's own when left out."""

    @property
    def signin_issuer(self) -> str:
        """Where officers sign in."""
        return self.oidc_issuer or self.token_issuer

    @property
    def console_address(self) -> str:
        """Where the provider sends browsers back to."""
        return self.console_url.rstrip("/") or f"http://{self.host}:{self.api_port}"


@lru_cache
def load() -> NotifySettings:
    """The settings of this process, read once. Missing ones stop the start, all named."""
    return NotifySettings()
