"""From the environment to an open warehouse: settings, local server, schema, keys."""

from dataclasses import dataclass

from partitions.policy import Policy, policies_of
from warehouse.binaries import find_binaries
from warehouse.keyring import Keyring, open_keyring
from warehouse.migrations import migrate
from warehouse.server import LocalServer
from warehouse.settings import Settings, read_settings


@dataclass(frozen=True)
class Context:
    """Settings and the address of the warehouse."""

    settings: Settings
    url: str
    applied: tuple[str, ...]

    @property
    def policies(self) -> tuple[Policy, ...]:
        """What is wanted of the partitioned tables."""
        return policies_of(self.settings)

    @property
    def keyring(self) -> Keyring:
        return open_keyring(self.settings)


def local_server(settings: Settings) -> LocalServer:
    """The server of local mode, running or not."""
    return LocalServer(settings.home_path, find_binaries(settings))


def warehouse_url(settings: Settings) -> str:
    """Address of the warehouse; in local mode its server is started if it does not run."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return local_server(settings).start()


def open_warehouse() -> Context:
    """The warehouse, ready: server started, schema up to date."""
    settings = read_settings()
    url = warehouse_url(settings)
    return Context(settings, url, tuple(migrate(url, holiday_countries=settings.holiday_codes)))
