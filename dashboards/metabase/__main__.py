"""`python -m dashboards.metabase`: what the service `metabase-setup` of docker-compose.yml runs."""

import os
import sys
from typing import cast

from dashboards.metabase.client import Administrator, log_in
from dashboards.metabase.pages import dashboards_of
from dashboards.metabase.provision import provision
from dashboards.specification import specification
from dashboards.statements import Language
from warehouse.errors import CauriError, ConfigurationError


def main() -> None:
    """Read the environment, bring Metabase to the specification, say so."""
    try:
        language = os.environ.get("METABASE_LANGUAGE", "en")
        if language not in ("en", "fr"):
            raise ConfigurationError(f"METABASE_LANGUAGE is {language!r}", remedy="en or fr")
        administrator = Administrator(_needed("METABASE_EMAIL"), _needed("METABASE_PASSWORD"))
        reader_url = _needed("CAURI_DATABASE_URL")
        metabase = log_in(_needed("METABASE_URL"), administrator, language)
        done = provision(metabase, dashboards_of(specification(), cast(Language, language)), reader_url)
    except CauriError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(f"Metabase has {len(done.dashboards)} dashboards with {done.cards} cards.\n")


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set", remedy="docs/deployment.md lists the variables of this command")
    return value


if __name__ == "__main__":
    main()
