"""The specification of the dashboards, and what it says of mistakes."""

import shutil
from pathlib import Path

import pytest

from dashboards.specification import FOLDER, read_specification, specification
from warehouse.errors import ConfigurationError


def test_four_pages_of_tiles() -> None:
    found = specification()
    assert [page.title.en for page in found.pages] == [
        "KPI overview",
        "Fraud monitoring",
        "Client segmentation",
        "Service performance",
    ]
    assert all(page.tiles for page in found.pages)
    assert all(tile.title.fr and tile.about.en and tile.about.fr for _, tile in found.tiles)


def test_filters_follow_the_columns_of_the_view() -> None:
    views = specification().views
    assert set(views["v_activity_by_day"].filters) == {"date", "country", "segment", "service", "currency"}
    assert views["mv_monthly_active_clients"].filters["date"] == "month"
    # Its amounts were converted to one currency: there is none to choose.
    assert set(views["mv_rfm_distribution"].filters) == {"date", "country", "segment"}


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("kpi", 'by = "country_code"', 'by = "country"', "kpi_by_country: v_activity_by_day has no column country"),
        ("kpi", 'view = "mv_monthly', 'view = "mv_weekly', "there is no view mv_weekly_active_clients"),
        ("kpi", 'kind = "line"', 'kind = "pie"', "kpi.toml: tile kpi_transactions_over_time, kind"),
        ("kpi", "column = 4, row = 0", "column = 3, row = 0", "tiles kpi_transactions and kpi_amount overlap"),
        ("kpi", "column = 20, row = 0, width = 4", "column = 20, row = 0, width = 5", "does not fit into 24 columns"),
        ("kpi", 'id = "kpi_amount"', 'id = "kpi_revenue"', "kpi_revenue is the id of 2 tiles"),
        ("kpi", ', over = "success_amount"', "", "measure take_rate: a ratio needs over"),
        ("kpi", 'sort = "transactions"', 'sort = "size"', "cannot be sorted by size"),
        ("kpi", 'column = "active_clients"', 'column = "month"', "month is no number"),
        ("kpi", 'active_clients", format = "count"', 'active_clients", format = "amount"', "no currency"),
        ("kpi", "newest = true", "newst = true", "tile kpi_active_clients, newst"),
        ("fraud", 'series = "day_of_week"\n', "", "a heat_map needs by and series"),
        ("columns", 'order = "segment"', 'order = "rang"', "rang is no column"),
        ("views", 'date = "full_date"', 'date = "day"', "has no column day"),
        ("views", 'customer_segment = ""', 'segment = ""', "v_activity_by_day: has no column segment"),
        ("segments", 'id = "segments"', "id = ", "segments.toml is not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "spec")
    path = folder / f"{file}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_specification(folder)
    assert said in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "spec")
    (folder / "fraud.toml").unlink()
    with pytest.raises(ConfigurationError, match=r"fraud\.toml cannot be read"):
        read_specification(folder)
