"""Every environment variable that all services share, read once at start.

A service's own ``settings.py`` subclasses ``Settings``, or ``ListenerSettings``, and fixes
``service``. The addresses carry passwords: they never show in a repr or in an error. In a container
they are mounted as files: where /run/secrets is, its file ``bangfu_<field>`` stands for a variable
that is not set.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")
ServiceName = Literal["registry", "relief", "housing", "education", "employment", "notify"]


class Settings(BaseSettings):
    """What a process needs to know. Each field is the variable ``BANGFU_<FIELD>``."""

    model_config = SettingsConfigDict(
        env_prefix="BANGFU_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    service: ServiceName
    """Which service this is; fixed by the subclass."""
    env: Literal["development", "production"] = "production"
    """``development`` allows the platform's clock to be moved forward."""

    api_database_url: str = Field(default="", repr=False)
    """postgresql:// address of the role ``<service>_api``; the api process needs it."""
    worker_database_url: str = Field(default="", repr=False)
    """postgresql:// address of the role ``<service>_worker``; the worker needs it."""
    owner_database_url: str = Field(default="", repr=False)
    """postgresql:// address of the role ``<service>_owner``; migrations alone need it."""
    database_pool_size: PositiveInt = 10
    """Connections a process may hold."""
    statement_timeout_ms: PositiveInt = 15_000
    """A statement that runs longer is cancelled and the caller is asked to try again."""
    lock_timeout_ms: PositiveInt = 4_000
    """A statement that waits longer for a row or a table gives up, likewise."""

    kafka_bootstrap_servers: str = ""
    """host:port list of the Kafka cluster; the worker needs it."""
    topic_prefix: str = ""
    """Put before every topic name on the wire, so that installations can share a cluster."""

    jwks_url: str = ""
    """Where the token issuer publishes its keys; the api needs it."""
    token_issuer: str = ""
    """The ``iss`` that every token must carry."""
    token_audience: str = "bangfu"  # noqa: S105 - a name, not a secret
    """The ``aud`` that every token must carry."""

    key_file: Path
    """Key ring (JSON) for the fields encrypted at rest."""
    field_cipher: Literal["AES-GCM", "SM4-GCM"] = "AES-GCM"
    """Cipher of newly written fields."""
    clock_file: Path | None = None
    """Development only: the file that holds how far the platform's clock has been moved."""

    host: str = "127.0.0.1"
    """Address that the api and the worker's health server listen on."""
    api_port: int = Field(default=8100, ge=1, le=65535)
    """Port of the api."""
    worker_port: int = Field(default=8200, ge=1, le=65535)
    """Port of the worker's /livez, /readyz and /metrics."""
    max_body_bytes: PositiveInt = 2_000_000
    """Largest request body, where a route does not name its own limit."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe log line written."""

    @model_validator(mode="after")
    def _production_keeps_time(self) -> Self:
        if self.env == "production" and self.clock_file is not None:
            raise ValueError(
                "BANGFU_CLOCK_FILE moves the platform's clock and is refused in production: "
                "unset it, or set BANGFU_ENV=development"
            )
        return self

    def need(self, *names: str) -> None:
        """Refuse to start without these settings. Raises MissingSettingsError naming them."""
        missing = [f"BANGFU_{name.upper()}" for name in names if not getattr(self, name)]
        if missing:
            raise MissingSettingsError(f"{self.service} cannot start: set {', '.join(missing)}")


class ListenerSettings(Settings):
    """What a service that keeps a copy of the registry's households needs to ask the registry."""

    registry_url: str = ""
    """The registry's api, asked with a token of the service's own."""
    token_url: str = ""
    """Where the service gets that token (client credentials)."""
    client_id: str = ""
    """The service's name at the token issuer; its own name when left out."""
    client_secret_file: Path | None = None
    """The file with its secret; the issuer of development wants none."""

    @property
    def client_name(self) -> str:
        """The service's name at the token issuer."""
        return self.client_id or self.service


class MissingSettingsError(RuntimeError):
    """A process was started without an address it needs; the text names the variables."""
