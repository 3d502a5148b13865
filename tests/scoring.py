"""A small warehouse with labels and a champion, made once a process and copied for each test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

from ml.fraud.boosters import BoosterParameters
from ml.fraud.registry import Registry
from ml.fraud.score import Site
from ml.fraud.thresholds import Wishes
from ml.fraud.train import Order, train
from ml.fraud.windows import Lengths
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import load, new_folder, sample_folder, settings_for
from warehouse.connection import connect

PLAN = SamplePlan(rows=8_000, months=4, dirty_share=0.0, duplicate_share=0.0, update_share=0.02)

# Three frauds in four of the largest hundredths of amounts: a sample so small has too few of its own to learn from.
RELABEL: LiteralString = """
WITH amounts AS (
    SELECT transaction_id, transaction_ts, amount_minor / power(10, exponent) AS amount,
           hashtext(transaction_id) AS dice
    FROM dwh.fact_transactions JOIN dwh.dim_currency USING (currency_key)
)
INSERT INTO ml.fraud_label
SELECT transaction_id, true, transaction_ts + interval '2 days', 1 FROM amounts
WHERE amount > (SELECT percentile_cont(0.96) WITHIN GROUP (ORDER BY amount) FROM amounts) AND dice % 4 <> 0
"""

LENGTHS = Lengths(calibration=21, threshold=21, delay=7)
SMALL = BoosterParameters(trees=20, depth=3, least_weight=1.0)
ORDER = Order(lengths=LENGTHS, parameters=SMALL, wishes=Wishes(alerts_a_day=10))


def silent(_: str) -> None: ...


@dataclass(frozen=True)
class Scoring:
    """A warehouse of a test's own, and the folder of its models."""

    url: str
    home: Path

    @property
    def registry(self) -> Registry:
        return self.site.registry

    @property
    def site(self) -> Site:
        settings = settings_for(self.url, self.home)
        return Site(self.url, settings, Registry(settings.models_path / "fraud"))


@dataclass(frozen=True)
class Trained:
    """A database with the sample, on a server, and a home with its champion, to be copied."""

    server: str
    database: str
    home: Path


@contextmanager
def trained(server: str, template: str) -> Iterator[Trained]:
    """Load the sample and train on it."""
    with copied_database(server, template) as url:
        load(sample_folder(PLAN), url)
        with connect(url) as connection:
            connection.execute("DELETE FROM ml.fraud_label")
            connection.execute(RELABEL)
        home = new_folder("trained")
        train(url, Scoring(url, home).registry, ORDER, silent)
        yield Trained(server, urlsplit(url).path[1:], home)


@contextmanager
def copied(original: Trained) -> Iterator[Scoring]:
    """A copy of both, for one test."""
    home = new_folder("home")
    shutil.copytree(original.home / "models", home / "models")
    with copied_database(original.server, original.database) as url:
        yield Scoring(url, home)
