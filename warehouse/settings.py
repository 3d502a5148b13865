"""The one place where the environment is read: `CAURI_*` variables and `.env`."""

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.errors import ConfigurationError

# How alike the name of a variable is to that of a setting which it must have meant: two letters of ten that changed
# places are as alike.
_MISSPELT = 0.9


class Settings(BaseSettings):
    """Each field is the environment variable `CAURI_<FIELD>`; `.env.example` explains them all."""

    # Empty is not set: so compose files pass on what nobody has set.
    model_config = SettingsConfigDict(
        env_prefix="CAURI_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

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
    models: Path | None = None
    rates: Path | None = None
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    redact: str | None = None
    max_rejected_share: float = Field(default=0.5, ge=0, le=1)
    metrics: Path | None = None
    lineage: Path | None = None
    alert_url: SecretStr | None = None
    alert_secret: SecretStr | None = None
    health_max_age_hours: float = Field(default=26, gt=0)
    health_rejected_share: float = Field(default=0.05, ge=0, le=1)
    health_free_share: float = Field(default=0.05, ge=0, le=1)
    health_premade_days: int = Field(default=7, ge=0)

    @field_validator("business_timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError) as exc:
            raise ValueError(f"{name!r} is not a time zone; use a name such as 'Africa/Abidjan'") from exc
        return name

    @field_validator("redact")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as exc:
            raise ValueError(f"it is not a regular expression: {exc}") from exc
        return pattern

    @model_validator(mode="after")
    def _alerts_are_signed(self) -> "Settings":
        if self.alert_url is not None and self.alert_secret is None:
            raise ValueError("CAURI_ALERT_URL needs CAURI_ALERT_SECRET, with which alerts are signed")
        return self

    @cached_property
    def home_path(self) -> Path:
        """Folder that holds all that local mode writes, absolute."""
        return self.home.expanduser().resolve()

    @property
    def holiday_codes(self) -> tuple[str, ...]:
        """The countries whose holidays the calendar marks; `none` names no country."""
        named = [part.strip().upper() for part in self.holiday_countries.split(",")]
        return tuple(code for code in named if code not in ("", "NONE"))

    @property
    def archive_path(self) -> Path:
        """Folder of archived leaves, absolute."""
        return (self.archive or self.home_path / "archive").expanduser().resolve()

    @property
    def models_path(self) -> Path:
        """Folder of trained models, absolute."""
        return (self.models or self.home_path / "models").expanduser().resolve()

    @property
    def metrics_path(self) -> Path:
        """The file of metrics, absolute."""
        return (self.metrics or self.home_path / "metrics" / "cauri.prom").expanduser().resolve()

    def secrets(self) -> list[str]:
        """Values that no log may hold: keys, passwords, addresses with passwords."""
        given = [getattr(self, name) for name in type(self).model_fields]
        values = [one.get_secret_value() for one in given if isinstance(one, SecretStr)]
        if self.database_url is None:
            return values
        # With the driver, which not every command needs.
        from warehouse.address import passwords_in  # noqa: PLC0415

        return values + passwords_in(self.database_url.get_secret_value())

    @property
    def is_local(self) -> bool:
        """Whether Cauri runs the server itself."""
        return self.database_url is None


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: a variable has a value that cannot be used, or a name that is nearly that of one.
    """
    _refuse_misspelt(name for name in os.environ if name.startswith("CAURI_"))
    try:
        return Settings()
    except ValidationError as exc:
        problems = "; ".join(f"CAURI_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in exc.errors())
        raise ConfigurationError(
            f"{exc.error_count()} setting(s) cannot be used: {problems}",
            remedy="correct the environment or .env; .env.example lists every variable",
        ) from None


def _refuse_misspelt(names: Iterable[str]) -> None:
    known = [f"CAURI_{field.upper()}" for field in Settings.model_fields]
    for name in names:
        meant = get_close_matches(name.upper(), known, n=1, cutoff=_MISSPELT)
        if meant and name.upper() not in known:
            raise ConfigurationError(
                f"{name} is no setting", remedy=f"{meant[0]} is one; .env.example lists every variable"
            )


def unusable_home(folder: Path, exc: OSError) -> ConfigurationError:
    """That nothing can be written into a folder of `CAURI_HOME`."""
    return ConfigurationError(
        f"CAURI_HOME cannot be used: {folder}: {exc.strerror}", remedy="set it to a folder in which you may write"
    )
