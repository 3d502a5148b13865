"""OpenLineage events of a run, appended to a file: which files, by content, went into which tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from engine.discover import SourceFile
from warehouse.address import place_of
from warehouse.connection import connect
from warehouse.overview import rows_of

PRODUCER = "https://github.com/cauri/cauri"
NAMESPACE = "cauri"
FILES = "file"

# What a feed ends up in.
TABLES = {
    "transactions": ("dwh.fact_transactions", "dwh.fact_daily_client_summary", "dwh.dim_beneficiary"),
    "clients": ("dwh.dim_client", "vault.client_identity"),
    "services": ("dwh.dim_service",),
    "channels": ("dwh.dim_channel",),
    "locations": ("dwh.dim_location",),
    "fraud_labels": ("ml.fraud_label",),
}


@dataclass(frozen=True)
class Lineage:
    """Where the events go, and the run that they are of."""

    path: Path
    url: str
    command: str
    run_id: int
    started_at: datetime
    files: Sequence[SourceFile]

    def start(self) -> None:
        """The run began: its files by name, content and columns."""
        self._emit("START", {}, [])

    def complete(self, summary: dict[str, Any]) -> None:
        """It ended well: rows of each file, and the tables they went to."""
        self._emit("COMPLETE", {}, self._outputs(summary), summary)

    def fail(self, message: str, *, stopped: bool) -> None:
        """It failed, or was stopped by a signal. `message` must be redacted."""
        from openlineage.client.facet_v2 import error_message_run  # noqa: PLC0415

        facet = error_message_run.ErrorMessageRunFacet(message=message, programmingLanguage="python")
        self._emit("ABORT" if stopped else "FAIL", {"errorMessage": facet}, [])

    def _emit(
        self, kind: str, facets: dict[str, Any], outputs: list[Any], summary: dict[str, Any] | None = None
    ) -> None:
        # Nearly a second to import: only who wants lineage waits for it.
        from openlineage.client.event_v2 import Job, Run, RunEvent, RunState  # noqa: PLC0415
        from openlineage.client.transport.file import FileConfig, FileTransport  # noqa: PLC0415

        event = RunEvent(
            eventType=RunState[kind],
            eventTime=datetime.now(UTC).isoformat(),
            run=Run(str(self._identity()), facets),
            job=Job(NAMESPACE, self.command),
            inputs=self._inputs({one["file"]: one for one in (summary or {}).get("files", [])}),
            outputs=outputs,
            producer=PRODUCER,
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        FileTransport(FileConfig(log_file_path=str(self.path), append=True)).emit(event)

    def _identity(self) -> Any:
        # The same for each event of the run, also for one that another process emits.
        _, _, database = place_of(self.url)
        return uuid5(NAMESPACE_URL, f"{database}#{self.run_id}@{self.started_at.isoformat()}")

    def _inputs(self, counts: dict[str, dict[str, Any]]) -> list[Any]:
        from openlineage.client.event_v2 import InputDataset  # noqa: PLC0415
        from openlineage.client.facet_v2 import dataset_version_dataset as version  # noqa: PLC0415
        from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics  # noqa: PLC0415

        inputs = []
        for file in self.files:
            rows = counts.get(file.name, {}).get("read")
            facets = {
                "version": version.DatasetVersionDatasetFacet(datasetVersion=file.content_hash),
                "schema": _schema([(column, None) for column in file.feed.names]),
            }
            size = statistics.InputStatisticsInputDatasetFacet(rowCount=rows, size=file.size_bytes, fileCount=1)
            inputs.append(InputDataset(FILES, file.name, facets=facets, inputFacets={"inputStatistics": size}))
        return inputs

    def _outputs(self, summary: dict[str, Any]) -> list[Any]:
        from openlineage.client.event_v2 import OutputDataset  # noqa: PLC0415
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics  # noqa: PLC0415

        with connect(self.url) as connection:
            columns = rows_of(connection, "vitals/columns")
        host, port, database = place_of(self.url)
        outputs = []
        for feed, counts in summary["feeds"].items():
            for table in TABLES[feed]:
                fields = [(row["column_name"], row["type"]) for row in columns if row["table_name"] == table]
                # Of the tables of a feed the first takes its rows; how many the others got is not counted.
                rows = counts["loaded"] + counts["updated"] if table == TABLES[feed][0] else None
                written = statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)
                outputs.append(
                    OutputDataset(
                        f"postgres://{host}:{port}",
                        f"{database}.{table}",
                        facets={"schema": _schema(fields)},
                        outputFacets={"outputStatistics": written},
                    )
                )
        return outputs


def _schema(fields: list[tuple[str, str | None]]) -> Any:
    from openlineage.client.facet_v2 import schema_dataset  # noqa: PLC0415

    return schema_dataset.SchemaDatasetFacet(
        fields=[schema_dataset.SchemaDatasetFacetFields(name, kind) for name, kind in fields]
    )
