"""Step 10, Maintain, of a nightly run only: the leaves become what their policies say."""

from dataclasses import dataclass, field
from typing import Any

from engine.aggregates import recompute_dirty_cells, refresh_views
from engine.steps import Watcher
from partitions.actions import Site
from partitions.apply import apply
from partitions.policy import policies_of
from warehouse.connection import connect
from warehouse.errors import CauriError
from warehouse.settings import Settings


@dataclass
class Maintenance:
    """Steps that were done to leaves; cells that an earlier run had left dirty; what stopped the steps of a table."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    recomputed_cells: int = 0
    problems: list[str] = field(default_factory=list)
    error: CauriError | None = None

    @property
    def is_nothing(self) -> bool:
        return not self.steps and not self.recomputed_cells and self.error is None

    def to_json(self) -> dict[str, Any]:
        """The object within the summary."""
        failed = {"error": self.error.message, "remedy": self.error.remedy} if self.error else {}
        return {"steps": self.steps, "recomputed_cells": self.recomputed_cells, "problems": self.problems, **failed}


def maintain(url: str, settings: Settings, watcher: Watcher) -> Maintenance:
    """Recompute what is still dirty, then plan and apply. The caller holds the writer lock.

    Raises:
        CauriError: the catalog cannot be read, or the database went away. What stops one table stands on the result.
    """
    done = Maintenance()
    with connect(url, application="cauri partitions") as connection:
        done.recomputed_cells = recompute_dirty_cells(connection)
        if done.recomputed_cells:
            refresh_views(connection)
        site = Site(connection, url, settings.business_timezone, settings.archive_path)
        applied = apply(site, policies_of(settings), say=lambda step: watcher.say(step.line))
    done.steps = applied.to_json()
    done.problems = [f"{problem.table}: {problem.text}" for problem in applied.plan.problems if not problem.note]
    done.error = applied.error
    return done
