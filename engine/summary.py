"""What a load did, as one object: printed, stored with the run, and given to `--json`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.discover import Discovery
from engine.outcomes import Outcomes, total
from engine.plan import LeafPlan

if TYPE_CHECKING:
    from engine.maintenance import Maintenance


@dataclass
class Summary:
    """Counts and times of a run. `status`: done, nothing (all files known), planned (dry run), refused (by the gate).

    `gate`: expectations that were not met, and whether they were accepted.
    """

    status: str
    run_id: int | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    feeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: Outcomes = field(default_factory=Outcomes)
    leaves: list[dict[str, Any]] = field(default_factory=list)
    skipped_files: list[str] = field(default_factory=list)
    unfinished_files: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    gate: list[dict[str, Any]] = field(default_factory=list)
    inferred_clients: int = 0
    new_beneficiaries: int = 0
    restated_facts: int = 0
    recomputed_cells: int = 0
    refreshed_views: list[str] = field(default_factory=list)
    maintenance: "Maintenance | None" = None
    seconds: float = 0.0
    peak_rss_bytes: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)

    def count(self, discovery: Discovery, outcomes: dict[int, Outcomes]) -> None:
        """Take over the counts of every file, by file, by feed and in all."""
        for file in discovery.files:
            if file.number not in outcomes:
                continue
            one = outcomes[file.number]
            self.files.append({"file": file.name, "feed": file.feed.name, **one.as_dict()})
        for name in dict.fromkeys(file.feed.name for file in discovery.files):
            of_feed = total(
                outcomes[file.number] for file in discovery.files if file.feed.name == name and file.number in outcomes
            )
            self.feeds[name] = {**of_feed.as_dict(), "rejected_by_reason": by_frequency(of_feed.reasons)}
        self.rows = total(outcomes.values())

    def planned(self, plans: list[LeafPlan]) -> None:
        """Take over what step 6 does, or would do."""
        self.leaves = [
            {"leaf": plan.span.leaf_of("fact_transactions"), "action": plan.action, "rows": plan.rows} for plan in plans
        ]

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "run_id": self.run_id,
            "status": self.status,
            "rows": self.rows.as_dict(),
            "rejected_by_reason": by_frequency(self.rows.reasons),
            "leaves": self.leaves,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self.rows.read / self.seconds) if self.seconds else 0,
            "peak_rss_bytes": self.peak_rss_bytes,
            "steps": self.steps,
            "feeds": self.feeds,
            "files": self.files,
            "skipped_files": self.skipped_files,
            "unfinished_files": self.unfinished_files,
            "notices": self.notices,
            "gate": self.gate,
            "inferred_clients": self.inferred_clients,
            "new_beneficiaries": self.new_beneficiaries,
            "restated_facts": self.restated_facts,
            "recomputed_cells": self.recomputed_cells,
            "refreshed_views": self.refreshed_views,
            **({"maintenance": self.maintenance.to_json()} if self.maintenance else {}),
        }


def by_frequency(reasons: dict[str, int]) -> dict[str, int]:
    """Most frequent first."""
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
