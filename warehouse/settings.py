"""The one place where the environment is read: `CAURI_*` variables and `.env`."""

import os
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.errors import ConfigurationError


class Settings(BaseSettings):
    """Each field is the environment variable `CAURI_<FIELD>`; `.env.example` explains them all."""

    model_config = SettingsConfigDict(env_prefix="CAURI_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".cauri")
    database_url: SecretStr | None = None
    pg_bindir: Path | None = None
    business_timezone: str = "Africa/Abidjan"
    holiday_countries: str = "CI,SN,GH,KE,MA"
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    pseudonym_key: SecretStr | None = None
    vault_key: SecretStr | None = None
    partitions: Path | None = None
    archive: Path | None = None

    @field_validator("business_timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError) as exc:
            raise ValueError(f"{name!r} is not a time zone; use a name such as 'Africa/Abidjan'") from exc
        return name

    @cached_property
    def home_path(self) -> Path:
        """Folder that holds all that local mode writes, absolute."""
        return self.home.expanduser().resolve()

    @property
    def archive_path(self) -> Path:
        """Folder of archived leaves, absolute."""
        return (self.archive or self.home_path / "archive").expanduser().resolve()

    @property
    def is_local(self) -> bool:
        """Whether Cauri runs the server itself."""
        return self.database_url is None


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: a variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as exc:
        problems = "; ".join(f"CAURI_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in exc.errors())
        raise ConfigurationError(
            f"{exc.error_count()} setting(s) cannot be used: {problems}",
            remedy="correct the environment or .env; .env.example lists every variable",
        ) from None
