"""The kept results: read, drawn, and put into documents."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.history import latest, read_history, results
from bench.peers.table import BEGIN, END, Line, as_markdown, faster, write_between
from bench.ratios import Spread
from bench.report import page


def run(commit: str, day: int, *benchmarks: dict[str, Any], machine: str = "Fast") -> dict[str, Any]:
    return {
        "machine_info": {"cores": 2, "processor_name": machine},
        "commit_info": {"id": commit * 8, "dirty": commit == "d"},
        "datetime": f"2026-01-{day:02}T00:00:00+00:00",
        "benchmarks": list(benchmarks),
    }


def loaded(name: str, seconds: float, rows: int = 1_000, **extra: Any) -> dict[str, Any]:
    every = {"median": seconds, "min": seconds, "max": seconds * 2, "mean": seconds, "stddev": 0.0, "ops": 1 / seconds}
    stats = every | {"iqr": 0.0, "q1": seconds, "q3": seconds, "rounds": 1, "iterations": 1, "total": seconds}
    return {"name": f"test_{name}", "group": "load", "stats": stats, "extra_info": {"rows": rows, **extra}}


def test_results_stand_in_the_order_of_their_runs() -> None:
    found = results([run("b", 2, loaded("load", 2)), run("a", 1, loaded("load", 4)), run("d", 3, loaded("load", 1))])
    assert [(one.commit, one.rows_per_second) for one in found] == [
        ("aaaaaaaa", 250),
        ("bbbbbbbb", 500),
        ("dddddddd+", 1000),
    ]


def test_results_without_rows_are_left_out() -> None:
    other = loaded("else", 1)
    other["extra_info"] = {}
    assert results([run("a", 1, other)]) == []


def test_the_latest_are_one_of_each_name_and_size_on_the_newest_machine() -> None:
    found = results(
        [
            run("a", 1, loaded("load", 4), loaded("load", 40, rows=10_000)),
            run("b", 2, loaded("load", 1), machine="Slow"),
            run("c", 3, loaded("load", 2)),
        ]
    )
    assert [(one.commit[0], one.rows) for one in latest(found)] == [("c", 1_000), ("a", 10_000)]


def test_a_history_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "0001_first.json").write_text(json.dumps(run("a", 1, loaded("load", 4))))
    assert [one.name for one in read_history(tmp_path)] == ["load"]


@pytest.mark.parametrize("name", ["", "missing"])
def test_without_results_the_remedy_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit, match="run `just bench` first"):
        read_history(tmp_path / name)


def test_the_report_needs_nothing_else() -> None:
    steps = {"2 Read": 3.0, "10 Maintain partitions": 1.0}
    limit = {"name": "parse", "wall": 1.0, "summed": True}
    item = {"step": "2 Read", "client": 1.0, "server": 0.5, "idle": 0.5}
    found = results(
        [
            run("a", 1, loaded("load[csv]", 4, steps=steps)),
            run("b", 2, loaded("limits[csv]", 4, limits=[limit], share=0.25, load=4.0, bill=[item])),
        ]
    )
    text = page(found)
    assert re.findall(r"<script[^>]*\ssrc=", text) == []
    titles = ("over commits", "Shares of the steps", "Scaling", "Limits against the load", "Core seconds by step")
    assert [title for title in titles if title not in text] == []


def test_faster_compares_rows_a_second_round_by_round() -> None:
    assert faster([1, 2], 1_000, [1, 1], 100) == Spread(7.5, 5, 10)


def test_the_table_has_a_line_a_peer() -> None:
    lines = [Line("ours", 1_000, (1.0, 2.0), None, None), Line("theirs", 100, (1.0, 1.0), Spread(7.5, 5, 10), False)]
    assert as_markdown(lines).splitlines()[2:] == [
        "| ours | 1,000 | 750 |  |  |",
        "| theirs | 100 | 100 | 7.50 (5.00 to 10.00) | no |",
    ]


def test_the_table_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write_between(path, r"new \1")
    assert path.read_text() == f"before\n{BEGIN}\n\nnew \\1\n\n{END}\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("nothing")
    with pytest.raises(SystemExit, match="has 0 places for the table"):
        write_between(path, "new")
    assert path.read_text() == "nothing"
