"""Client changes that come late, in any order, deleted and restored: history and facts follow in the real load."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, LiteralString
from unittest import mock

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import publish
from engine.summary import Summary
from tests import database
from tests.integration.test_load import assert_summary_agrees
from tests.loading import SERVICE, client, content, load, new_folder, rows_of, transaction, value_of, write_feed
from warehouse.errors import TransientTargetError

VERSIONS: LiteralString = """
    SELECT client_key, risk_level, to_char(valid_from AT TIME ZONE 'UTC', 'MM-DD'),
           to_char(valid_to AT TIME ZONE 'UTC', 'MM-DD')
    FROM dwh.dim_client WHERE client_key > 0 AND is_current = (valid_to IS NULL) ORDER BY client_ref, valid_from
"""
FACTS: LiteralString = """
    SELECT transaction_id, risk_level FROM dwh.fact_transactions JOIN dwh.dim_client USING (client_key) ORDER BY 1
"""
ORPHANS: LiteralString = """
    SELECT count(*) FROM dwh.fact_transactions f WHERE NOT EXISTS (
        SELECT FROM dwh.dim_client c WHERE c.client_key = f.client_key)
"""


def on(day: str, number: int, **changes: Any) -> dict[str, Any]:
    moment = f"2024-{day}T10:00:00Z"
    return transaction(number, transaction_ts=moment, updated_at=moment, **changes)


def change(day: str, risk: str, name: str = "C1", **changes: Any) -> dict[str, Any]:
    return client(name, f"2024-{day}T00:00:00Z", risk_level=risk, **changes)


def deletion(day: str, name: str = "C1") -> dict[str, Any]:
    blank = dict.fromkeys(("customer_segment", "company_size", "risk_level"), "")
    return {"client_id": name, **blank, "effective_at": f"2024-{day}T00:00:00Z", "is_deleted": "yes"}


class Nights:
    """A warehouse that gets a folder a night."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._folder, self._nights = url, folder, 0

    def folder(self, clients: Sequence[dict[str, Any]], transactions: Sequence[dict[str, Any]]) -> Path:
        self._nights += 1
        folder = self._folder / str(self._nights)
        write_feed(folder, "services", [SERVICE])
        for feed, rows in (("clients", clients), ("transactions", transactions)):
            if rows:
                write_feed(folder, feed, rows)
        return folder

    def night(self, clients: Sequence[dict[str, Any]] = (), transactions: Sequence[dict[str, Any]] = ()) -> Summary:
        return load(self.folder(clients, transactions), self.url)

    def told(self, *clients: dict[str, Any]) -> int:
        """A night of client changes only; how many facts were restated."""
        restated = self.night(clients).restated_facts
        assert_summary_agrees(self.url)
        assert value_of(self.url, ORPHANS) == 0
        return restated

    def versions(self) -> list[tuple[Any, ...]]:
        return rows_of(self.url, VERSIONS)

    def risks(self) -> list[str]:
        """The risk of the client as each transaction saw it."""
        return [risk for _, risk in rows_of(self.url, FACTS)]


@pytest.fixture
def nights(database_url: str, tmp_path: Path) -> Nights:
    nights = Nights(database_url, tmp_path)
    nights.night([change("01-01", "LOW")], [on("01-10", 1), on("02-10", 2), on("03-10", 3), on("04-10", 4)])
    return nights


def test_a_late_change_splits_a_version_and_takes_its_facts_along(nights: Nights) -> None:
    assert nights.told(change("03-01", "HIGH")) == 2
    assert nights.told(change("02-01", "MEDIUM")) == 1
    assert nights.versions() == [
        (1, "LOW", "01-01", "02-01"),
        (3, "MEDIUM", "02-01", "03-01"),
        (2, "HIGH", "03-01", None),
    ]
    assert nights.risks() == ["LOW", "MEDIUM", "HIGH", "HIGH"]


def test_facts_move_to_the_microsecond(nights: Nights) -> None:
    at = "2024-02-10T10:00:00"
    assert nights.told(client("C1", f"{at}.000001Z", risk_level="HIGH")) == 2
    assert nights.risks() == ["LOW", "LOW", "HIGH", "HIGH"]
    assert nights.told(client("C1", f"{at}Z", risk_level="HIGH")) == 1
    assert nights.risks() == ["LOW", "HIGH", "HIGH", "HIGH"]


def test_a_version_that_was_a_mistake_gives_its_facts_back(nights: Nights) -> None:
    nights.told(change("02-01", "HIGH"))
    assert nights.told(change("02-01", "LOW")) == 3
    assert nights.versions() == [(1, "LOW", "01-01", None)]
    assert rows_of(nights.url, "SELECT old_key, new_key FROM ops.restated_range ORDER BY run_id") == [(1, 2), (2, 1)]
    assert nights.told(change("04-01", "HIGH")) == 1
    # A key is never used again: archives may still name it.
    assert nights.versions()[-1][:2] == (3, "HIGH")


def test_only_leaves_of_the_stretch_are_touched(nights: Nights) -> None:
    def leaf(month: str) -> list[tuple[Any, ...]]:
        statement = f"SELECT ctid::text, xmin::text FROM dwh_parts.fact_transactions_2024_{month}"
        return rows_of(nights.url, statement)

    before = {month: leaf(month) for month in ("01", "02", "03", "04")}
    nights.told(change("02-01", "HIGH"), change("03-01", "LOW"))
    assert [month for month, rows in before.items() if leaf(month) != rows] == ["02", "03", "04"]
    before = {month: leaf(month) for month in ("01", "02", "03", "04")}
    nights.told(change("03-05", "HIGH"), change("04-01", "LOW"))
    # Since then another version is true for April, too.
    assert [month for month, rows in before.items() if leaf(month) != rows] == ["03", "04"]


def test_deleted_restored_deleted(nights: Nights) -> None:
    assert nights.told(deletion("02-01")) == 0
    assert nights.versions() == [(1, "LOW", "01-01", "02-01")]
    assert nights.risks() == ["LOW"] * 4
    assert nights.told(change("03-01", "HIGH")) == 2
    assert nights.told(deletion("04-01")) == 0
    assert nights.versions() == [(1, "LOW", "01-01", "02-01"), (2, "HIGH", "03-01", "04-01")]
    assert nights.risks() == ["LOW", "LOW", "HIGH", "HIGH"]
    identity = "SELECT as_of::text FROM vault.client_identity"
    assert value_of(nights.url, identity).startswith("2024-03-01")


def test_the_same_again_changes_nothing(nights: Nights) -> None:
    rows = [change("02-01", "HIGH"), change("02-15", "HIGH"), deletion("04-01")]
    nights.told(*rows)
    before = content(nights.url)
    # Another file, so that the ledger does not know it: the same rows, one of them twice.
    summary = nights.night([*reversed(rows), rows[0]])
    assert summary.feeds["clients"]["repeated"] == 4
    assert summary.restated_facts == 0
    assert content(nights.url) == before
    assert value_of(nights.url, "SELECT count(*) FROM ops.client_event") == 4


def test_outcomes_know_what_earlier_runs_were_told(nights: Nights) -> None:
    newest = change("02-01", "HIGH", updated_at="2024-03-01T00:00:00Z")
    older = change("02-01", "MEDIUM", updated_at="2024-02-20T00:00:00Z")
    assert nights.night([newest]).feeds["clients"]["loaded"] == 1
    assert nights.night([older]).feeds["clients"]["repeated"] == 1
    assert (
        nights.night([{**newest, "updated_at": "2024-03-02T00:00:00Z", "risk_level": "LOW"}]).feeds["clients"][
            "updated"
        ]
        == 1
    )
    assert nights.versions() == [(1, "LOW", "01-01", None)]


def test_an_inferred_member_with_a_history_restates_its_facts(database_url: str, tmp_path: Path) -> None:
    nights = Nights(database_url, tmp_path)
    assert nights.night(transactions=[on("01-10", 1), on("02-10", 2)]).inferred_clients == 1
    assert nights.told(change("02-01", "HIGH"), change("01-01", "LOW")) == 1
    assert nights.versions() == [(1, "LOW", "01-01", "02-01"), (2, "HIGH", "02-01", None)]
    assert nights.risks() == ["LOW", "HIGH"]


def test_a_run_that_was_killed_after_restating_still_counts(nights: Nights) -> None:
    folder = nights.folder([change("02-01", "HIGH")], [on("02-20", 5)])
    away = TransientTargetError("away")
    with mock.patch.object(publish, "merge", side_effect=away), pytest.raises(TransientTargetError):
        load(folder, nights.url)
    assert load(folder, nights.url).restated_facts == 3
    assert_summary_agrees(nights.url)
    assert nights.risks() == ["LOW", "HIGH", "HIGH", "HIGH", "HIGH"]


def test_cells_that_wait_for_step_8_are_known_to_have_facts(nights: Nights) -> None:
    """Merged, then killed before its cells were computed; then other work restates those facts."""
    away = TransientTargetError("away")
    folder = nights.folder([], [on("02-20", 5)])
    with mock.patch.object(publish, "recompute_dirty_cells", side_effect=away), pytest.raises(TransientTargetError):
        load(folder, nights.url)
    assert nights.told(change("02-15", "HIGH")) == 3
    assert nights.risks() == ["LOW", "LOW", "HIGH", "HIGH", "HIGH"]


def test_facts_of_a_deleted_client_and_of_one_that_was_deleted_by_mistake(database_url: str, tmp_path: Path) -> None:
    nights = Nights(database_url, tmp_path)
    nights.night([deletion("01-01")], [on("01-10", 1)])
    assert rows_of(database_url, "SELECT is_inferred FROM dwh.dim_client WHERE client_key > 0") == [(True,)]
    assert nights.told(change("01-01", "HIGH", updated_at="2024-02-01T00:00:00Z")) == 0
    assert nights.risks() == ["HIGH"]


def test_a_deletion_needs_no_attributes_but_a_change_does(nights: Nights) -> None:
    summary = nights.night([deletion("02-01"), {**deletion("03-01"), "is_deleted": "no"}])
    reasons = summary.feeds["clients"]["rejected_by_reason"]
    assert reasons == {"company_size_missing": 1, "customer_segment_missing": 1, "risk_level_missing": 1}


days = st.sampled_from(["01-05", "01-20", "02-05", "02-20", "03-05"])
told = st.lists(
    st.one_of(
        st.builds(change, days, st.sampled_from(["LOW", "HIGH"]), st.sampled_from(["C1", "C2"])),
        st.builds(deletion, days, st.sampled_from(["C1", "C2"])),
    ),
    min_size=3,
    max_size=8,
    unique_by=lambda row: (row["client_id"], row["effective_at"]),
)
happened = [
    on(day, number, client_id=f"C{1 + number % 3}", beneficiary_id="")
    for number, day in enumerate(["01-03", "01-10", "01-25", "02-10", "02-25", "03-10"] * 3)
]


# Not shrunk: each example is several loads.
@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(told, st.randoms(use_true_random=False))
def test_any_order_and_any_nights_give_the_same_warehouse(
    template_database: tuple[str, str], told: list[dict[str, Any]], dice: Any
) -> None:
    shuffled, transactions = list(told), list(happened)
    dice.shuffle(shuffled)
    dice.shuffle(transactions)
    parts = dice.randint(2, 3)
    with database.copied_database(*template_database) as url:
        Nights(url, new_folder("at-once")).night(told, happened)
        at_once = content(url)
    with database.copied_database(*template_database) as url:
        nights = Nights(url, new_folder("nights"))
        for part in range(parts):
            nights.night(shuffled[part::parts], transactions[part::parts])
        assert_summary_agrees(url)
        assert content(url) == at_once
