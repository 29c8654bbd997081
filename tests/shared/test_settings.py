"""Settings come from the environment; passwords never show; production keeps the true time."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from shared.settings import MissingSettingsError, Settings


class NotifySettings(Settings):
    """As a service's own settings are."""

    service: Literal["notify"] = "notify"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The least a process needs."""
    monkeypatch.setenv("BANGFU_KEY_FILE", str(tmp_path / "keys.json"))
    monkeypatch.setenv("BANGFU_API_DATABASE_URL", "postgresql://u:hidden@h/d")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANGFU_API_PORT", "8106")
    monkeypatch.setenv("BANGFU_LOG_LEVEL", "")
    settings = NotifySettings()
    assert settings.api_port == 8106
    assert settings.log_level == "INFO", "an empty variable is no variable"
    assert settings.env == "production"
    assert "hidden" not in repr(settings)


def test_a_broken_variable_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANGFU_API_PORT", "hidden-port")
    with pytest.raises(ValidationError) as refused:
        NotifySettings()
    assert "api_port" in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_production_refuses_a_moving_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANGFU_CLOCK_FILE", "/tmp/clock")  # noqa: S108 - never opened
    with pytest.raises(ValidationError, match="BANGFU_CLOCK_FILE moves the platform's clock"):
        NotifySettings()
    monkeypatch.setenv("BANGFU_ENV", "development")
    assert NotifySettings().clock_file == Path("/tmp/clock")  # noqa: S108 - never opened


def test_what_is_needed_is_named() -> None:
    settings = NotifySettings()
    settings.need("api_database_url")
    with pytest.raises(
        MissingSettingsError, match=r"notify cannot start: set BANGFU_OWNER_DATABASE_URL$"
    ):
        settings.need("api_database_url", "owner_database_url")
