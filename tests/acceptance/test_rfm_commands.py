"""`cauri rfm` from end to end, as a person or a nightly run meets it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import IDENTIFIERS, Done, cauri, cauri_process, execute, rows_of, sample_folder, value_of
from tests.missing import without_extra

PLAN = SamplePlan(rows=4_000, months=3, clients=150)
FEBRUARY = ("--as-of", "2024-03-01")


@dataclass(frozen=True)
class Scene:
    """A warehouse of two months; `late` has the files of the third."""

    url: str
    late: Path
    home: Path

    def cauri(self, *arguments: object, **variables: str) -> Done:
        return cauri(*arguments, url=self.url, home=self.home, variables=variables)


@pytest.fixture(scope="module")
def scene(template_database: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, late = tmp_path_factory.mktemp("feeds"), tmp_path_factory.mktemp("late")
    for path in sample_folder(PLAN).iterdir():
        shutil.copy(path, late if "2024-03" in path.name or "2024_03" in path.name else folder)
    assert [path.name for path in late.iterdir()] != []
    with copied_database(*template_database) as url:
        made = Scene(url, late, tmp_path_factory.mktemp("home"))
        assert made.cauri("load", folder, "--quiet").code == 0
        yield made


def test_without_segments_there_is_a_next_step(scene: Scene) -> None:
    done = scene.cauri("rfm", "report")
    assert done.code == 2
    assert "no client has a segment yet" in done.err
    assert "cauri rfm fit" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--as-of", "2999-01-01"), 2, "has not come yet"),
        (
            ("--as-of", "2001-01-01"),
            2,
            "older than 2001-01-01: the first is of 2024-01-01",
        ),
        (("--as-of", "2026-01-01"), 3, "no client has a successful transaction from 2025-01-01"),
        (("--as-of", "March"), 2, "does not match"),
    ],
)
def test_days_that_cannot_be_had(scene: Scene, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = scene.cauri("rfm", "fit", *arguments)
    assert (done.code, said in " ".join(done.err.split())) == (code, True), done.told
    assert scene.cauri("rfm", "fit", *arguments, "--json").code == code


@pytest.mark.parametrize("command", ["fit", "report"])
def test_without_the_packages_the_remedy_is_the_extra(scene: Scene, command: str) -> None:
    done = without_extra(scene.url, scene.home, "rfm", command)
    assert (done.returncode, f"uv run --extra ml cauri rfm {command}" in done.stderr) == (2, True), done.stderr


def test_a_month_of_segments(scene: Scene, tmp_path: Path) -> None:
    """Fit, report, a night that reaches a new month, and its moves; in this order, for each needs the one before."""
    fitted = scene.cauri("rfm", "fit", *FEBRUARY, "--json").json
    assert [one["name"] for one in fitted["segments"]] == ["Champions", "Loyal", "At Risk", "Hibernating", "Lost"]
    assert sum(one["clients"] for one in fitted["segments"]) == fitted["clients"] > 100
    again = scene.cauri("rfm", "fit", *FEBRUARY)
    assert again.code == 99
    assert "have the segments of rfm-2024-03-01" in " ".join(again.err.split())

    shown = scene.cauri("rfm", "report")
    assert "No earlier day has segments" in shown.out
    assert "VIP programme" in shown.out

    night = scene.cauri("nightly", scene.late, "--settle", "0", "--json").json
    assert night["status"] == "done"
    assert night["segments"]["as_of"] == "2024-04-01"
    assert night["segments"]["model"] == fitted["model"]
    quiet = scene.cauri("nightly", scene.late, "--settle", "0", "--json")
    assert (quiet.code, "segments" in quiet.json) == (99, False)
    assert rows_of(scene.url, "SELECT as_of::text, count(*) > 100 FROM ml.client_segment GROUP BY 1 ORDER BY 1") == [
        ("2024-03-01", True),
        ("2024-04-01", True),
    ]

    page = tmp_path / "new" / "segments.html"
    with cauri_process("rfm", "report", "--json", "--out", page, url=scene.url, home=scene.home) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, str(page) in "".join(err.split())) == (0, True), err
    told = json.loads(out)
    assert told["migration"]["since"] == "2024-03-01"
    assert (told["migration"]["is_refit"], told["migration"]["moved_by_refit"]) == (False, 0)
    text = page.read_text(encoding="utf-8")
    assert "<script src" not in text
    assert all(word in text for word in ("Plotly.newPlot", "Programme VIP", "Moves of clients"))
    codes = rows_of(scene.url, "SELECT client_code FROM dwh.dim_client WHERE client_key <> 0")
    beside = text.partition("</script>")[2]
    assert not any(word in beside for word in (*IDENTIFIERS, *(code for (code,) in codes)))

    refit = scene.cauri("rfm", "fit")
    assert "Clients by segment, 2023-04-01 to before 2024-04-01" in refit.out
    assert "Moves by the refit" in scene.cauri("rfm", "report").out
    assert scene.cauri("rfm", "assign", *FEBRUARY, "--model", "nix").code == 2


def test_a_page_that_cannot_be_written(scene: Scene) -> None:
    if not value_of(scene.url, "SELECT count(*) FROM ml.segment_model"):
        assert scene.cauri("rfm", "fit", *FEBRUARY).code == 0
    done = scene.cauri("rfm", "report", "--out", "/proc/segments.html")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_a_night_whose_segments_fail_is_a_load_all_the_same(
    template_database: tuple[str, str], scene: Scene, tmp_path: Path
) -> None:
    with copied_database(*template_database) as url:
        execute(
            url,
            "INSERT INTO ml.segment_model (model_version, as_of, sha256, document, quality, load_id)"
            " VALUES ('rfm-2024-01-01-0', '2024-01-01', 'wrong', '{}', '{}', 0)",
        )
        empty = cauri("nightly", tmp_path, "--json", url=url, home=scene.home)
        assert (empty.code, "segments" in empty.json) == (0, False), empty.told
        done = cauri("nightly", sample_folder(PLAN), "--settle", "0", "--json", url=url, home=scene.home)
        assert done.code == 1
        assert done.json["status"] == "done"
        assert done.json["segments"]["error"] == "TargetError"
        assert "segments failed" in (scene.home / "logs" / "cauri.log").read_text(encoding="utf-8")
        assert value_of(url, "SELECT count(*) > 3000 FROM dwh.fact_transactions")
