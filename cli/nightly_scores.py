"""The end of a nightly run: what was loaded is scored, where there is a champion."""

import logging

from cli.context import Context
from cli.extra import has_models
from engine.summary import Scores
from warehouse.errors import CauriError, NothingToDoError

log = logging.getLogger(__name__)

NO_EXTRA = "there is a champion, but the packages of the extra ml are not installed: uv run --extra ml cauri nightly"


def score_night(context: Context) -> Scores | None:
    """Score what is new. What goes wrong stands on the result: the load is done and stays.

    Returns:
        None where no model is to score.
    """
    # Nothing of ml is imported where there is no model: a night without one needs none of it.
    if not (context.settings.models_path / "fraud").is_dir():
        return None
    try:
        return _score(context)
    except NothingToDoError as nothing:
        return Scores(skipped=nothing.message)
    except CauriError as error:
        return Scores(error=error)
    except Exception as exc:
        log.exception("scoring crashed")
        crash = f"scores were not written: {type(exc).__name__}; the log has where"
        return Scores(error=CauriError(crash, remedy="cauri fraud score"))


def _score(context: Context) -> Scores | None:
    from ml.fraud.registry import registry_of  # noqa: PLC0415

    registry = registry_of(context.settings)
    if registry.stages.champion is None:
        return None
    if not has_models():
        return Scores(skipped=NO_EXTRA)
    from ml.fraud.score import Site, score_new  # noqa: PLC0415

    return Scores(score_new(Site(context.url, context.settings, registry)).to_json())
