"""The end of a nightly run: what was loaded is scored, where there is a champion."""

from cli.afterwards import NO_EXTRA, Afterwards, attempted, skipped
from cli.context import Context
from cli.extra import has_models

NAME = "scores"


def score_night(context: Context) -> Afterwards | None:
    """Score what is new; None where no model is to score."""
    # Nothing of ml is imported where there is no model: a night without one needs none of it.
    if not (context.settings.models_path / "fraud").is_dir():
        return None
    return attempted(NAME, lambda: _score(context))


def _score(context: Context) -> Afterwards | None:
    from ml.fraud.registry import registry_of  # noqa: PLC0415

    registry = registry_of(context.settings)
    if registry.stages.champion is None:
        return None
    if not has_models():
        return skipped(NAME, NO_EXTRA)
    from ml.fraud.score import Site, score_new  # noqa: PLC0415

    done = score_new(Site(context.url, context.settings, registry))
    return Afterwards(NAME, "done", done.in_words(), done.to_json())
