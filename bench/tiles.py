"""Latency of a query of each view of the dashboards while eight read at once: the year up to the newest day, warm.

The warehouse of `bench.nightly` is used and kept. `python -m bench.tiles --rows 36m`
"""

import argparse
import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

from bench.nightly import Warehouse
from bench.server import running_server, with_name
from bench.sizes import rows_of, spoken
from bench.trees import THIS
from warehouse.connection import connect

YEAR = "full_date > (SELECT max(full_date) FROM dwh.mv_daily_kpi) - 365"
TILES = {
    "mv_daily_kpi": f"SELECT full_date, sum(transactions), sum(revenue) FROM dwh.mv_daily_kpi WHERE {YEAR}"
    " AND currency_code = 'XOF' GROUP BY 1 ORDER BY 1",
    "v_activity_by_day": "SELECT full_date, currency_code, sum(transactions), sum(commission)"
    f" FROM dwh.v_activity_by_day WHERE {YEAR} AND country_code = 'CI' GROUP BY 1, 2 ORDER BY 1",
    "mv_monthly_active_clients": "SELECT month, sum(active_clients) FROM dwh.mv_monthly_active_clients"
    " WHERE service_name = 'ALL' GROUP BY 1 ORDER BY 1",
    "mv_service_by_day": "SELECT service_name, sum(transactions), sum(failures), max(p95_processing_ms)"
    f" FROM dwh.mv_service_by_day WHERE {YEAR} GROUP BY 1 ORDER BY 2 DESC",
    "mv_fraud_by_day": f"SELECT full_date, sum(transactions), sum(frauds) FROM dwh.mv_fraud_by_day WHERE {YEAR}"
    " GROUP BY 1 ORDER BY 1",
    "mv_fraud_heat_map": "SELECT day_of_week, hour, sum(frauds), sum(transactions) FROM dwh.mv_fraud_heat_map"
    " GROUP BY 1, 2 ORDER BY 1, 2",
    "mv_amount_saved": "SELECT currency_code, sum(saved_amount), sum(missed_amount) FROM dwh.mv_amount_saved"
    f" WHERE {YEAR} GROUP BY 1 ORDER BY 1",
    "mv_clients_at_risk": "SELECT * FROM dwh.mv_clients_at_risk ORDER BY rank LIMIT 20",
    "mv_rfm_distribution": "SELECT segment_name, sum(clients) FROM dwh.mv_rfm_distribution"
    " WHERE as_of = (SELECT max(as_of) FROM dwh.mv_rfm_distribution) GROUP BY 1",
    "mv_lifetime_value": "SELECT segment_name, sum(expected_revenue_sum) FROM dwh.mv_lifetime_value"
    " WHERE as_of = (SELECT max(as_of) FROM dwh.mv_lifetime_value) GROUP BY 1",
    "mv_segment_migration": "SELECT from_segment_name, to_segment_name, sum(clients) FROM dwh.mv_segment_migration"
    " WHERE to_as_of = (SELECT max(to_as_of) FROM dwh.mv_segment_migration) GROUP BY 1, 2",
    "mv_churn_risk": "SELECT risk_band, sum(clients), sum(revenue_at_risk) FROM dwh.mv_churn_risk"
    " WHERE as_of = (SELECT max(as_of) FROM dwh.mv_churn_risk) GROUP BY 1",
}


def main() -> None:
    """Measure; print median and 95th percentile of each tile's query."""
    options = _options()
    if options.url:
        _measure(options.url, options)
        return
    with running_server(options.folder) as server:
        warehouse = Warehouse(server, options.rows)
        warehouse.prepare()
        url = with_name(server.url, warehouse.copy)
        told = THIS.timed(url, "refresh", "--rebuild")
        print(f"full refresh: {told['seconds']:.1f} s, {spoken(options.rows)} transactions")
        for name, seconds in told["views"].items():
            print(f"  {name:<28}{seconds:8.2f} s")
        _measure(url, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=rows_of, default=rows_of("3.6m"), help="transactions of the warehouse")
    parser.add_argument("--readers", type=int, default=8, help="how many read at once")
    parser.add_argument("--rounds", type=int, default=30, help="queries of each tile by each reader")
    parser.add_argument("--folder", type=Path, default=Path(".cauri-bench"), help="where the warehouse is kept")
    parser.add_argument("--url", help="a warehouse that is there, and up to date")
    return parser.parse_args()


def _measure(url: str, options: argparse.Namespace) -> None:
    with ThreadPoolExecutor(options.readers) as readers:
        found = list(readers.map(lambda seed: _read(url, seed, options.rounds), range(options.readers)))
    print(f"\n{options.readers} readers at once, each {options.rounds} times")
    print(f"  {'query of':<28}{'median':>11}{'p95':>11}")
    for name in TILES:
        taken = [seconds for one in found for seconds in one[name]]
        print(f"  {name:<28}{median(taken) * 1000:8.0f} ms{quantiles(taken, n=20)[-1] * 1000:8.0f} ms")


def _read(url: str, seed: int, rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = defaultdict(list)
    with connect(url, application="cauri tiles") as connection:
        names = list(TILES) * (rounds + 1)
        random.Random(seed).shuffle(names)
        warm: set[str] = set()
        for name in names:
            begun = time.perf_counter()
            connection.execute(TILES[name]).fetchall()
            if name in warm:
                taken[name].append(time.perf_counter() - begun)
            warm.add(name)
    return taken


if __name__ == "__main__":
    main()
