"""The `cauri` command."""


def main() -> None:
    """Run the command line."""
    # Worker processes import this module again: what only the command needs must not be loaded for them.
    from cli.main import run  # noqa: PLC0415

    run()
