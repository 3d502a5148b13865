"""A small warehouse that has everything that dashboards show, and a browser to look at a report of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import pytest
from playwright.sync_api import Browser, sync_playwright

from ml.fraud.scores import leaves_of
from partitions.leaves import create_attached
from partitions.policy import policies_of
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import cauri, load, sample_folder, settings_for
from warehouse.connection import connect

# Enough days for a period and the one before.
PLAN = SamplePlan(rows=6_000, months=4, clients=200)
BROWSER = "CAURI_TEST_BROWSER"
SCREENSHOTS = "CAURI_TEST_SCREENSHOTS"

# As a model would: most frauds are blocked, some are missed; a few honest transactions are taken for frauds.
SCORE: LiteralString = """
INSERT INTO ml.fraud_score
SELECT now(), CASE band WHEN 'block' THEN 0.99 WHEN 'review' THEN 0.6 ELSE 0.01 END, date_key, transaction_id,
       'invented', band, '{}'
FROM (SELECT f.date_key, f.transaction_id,
             CASE WHEN l.is_fraud AND hashtext(f.transaction_id) % 4 <> 0 THEN 'block'
                  WHEN hashtext(f.transaction_id) % 50 = 0 THEN 'block'
                  WHEN hashtext(f.transaction_id) % 50 = 1 THEN 'review'
                  ELSE 'allow' END AS band
      FROM dwh.fact_transactions f
      LEFT JOIN ml.fraud_label l USING (transaction_id)) AS scored
"""


@contextmanager
def whole_warehouse(server: str, template: str) -> Iterator[str]:
    """Loaded, labelled, scored, segmented on two days, and refreshed."""
    with copied_database(server, template) as url:
        load(sample_folder(PLAN), url)
        with connect(url) as connection:
            days = [day for (day,) in connection.execute("SELECT DISTINCT date_key FROM dwh.fact_transactions")]
            for leaf in leaves_of(
                connection, policies_of(settings_for(url)), days, settings_for(url).business_timezone
            ):
                create_attached(connection, leaf.policy, leaf.span, leaf.timezone)
            connection.execute(SCORE)
        for command, day in (("fit", "2024-04-01"), ("assign", "2024-05-01")):
            done = cauri("rfm", command, "--as-of", day, url=url)
            assert done.code == 0, done.told
        done = cauri("refresh", url=url)
        assert done.code == 0, done.told
        yield url


def chromium() -> str:
    """The browser's program; the test is skipped where there is none."""
    names = (os.environ.get(BROWSER), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"there is no Chromium: install one, or name its program in {BROWSER}")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    program = chromium()
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not use; it opens a file of ours only.
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def screenshots() -> Path | None:
    """The folder in which pictures of the pages are kept, if somebody wants them."""
    wanted = os.environ.get(SCREENSHOTS)
    if not wanted:
        return None
    folder = Path(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
