"""When dashboards are up to date, and what says so."""

from pathlib import Path

from sample.plan import SamplePlan
from tests.loading import SERVICE, Done, cauri, sample_folder, transaction, write_feed

PLAN = SamplePlan(rows=600, months=1, dirty_share=0.0, duplicate_share=0.0, update_share=0.0)
VIEWS = 13


def stale_views(url: str) -> int:
    told: Done = cauri("status", "--json", url=url)
    assert len(told.json["dashboards"]) == VIEWS
    return sum(view["is_stale"] for view in told.json["dashboards"])


def test_a_load_leaves_them_stale_unless_it_is_told_otherwise(database_url: str, tmp_path: Path) -> None:
    loaded = cauri("load", sample_folder(PLAN), url=database_url)
    assert loaded.code == 0, loaded.told
    assert "cauri refresh" in loaded.out
    assert stale_views(database_url) > 0
    assert "views are stale; cauri refresh" in cauri("status", url=database_url).out

    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", [transaction(1)])
    again = cauri("load", tmp_path, "--refresh", "--json", url=database_url)
    assert again.code == 0, again.told
    assert again.json["dashboards"]["status"] == "done"
    assert again.json["dashboards"]["views"]
    assert stale_views(database_url) == 0
    assert f"all {VIEWS} views are up to date" in cauri("status", url=database_url).out

    nothing = cauri("refresh", url=database_url)
    assert "up to date already" in nothing.out


def test_a_night_brings_them_up_to_date(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", [transaction(1)])
    night = cauri("nightly", tmp_path, "--json", "--settle", 0, url=database_url)
    assert night.code == 0, night.told
    assert night.json["dashboards"]["days"] >= 1
    assert stale_views(database_url) == 0
