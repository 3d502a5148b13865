"""What is wanted of partitioned tables: declared, and refused where it contradicts itself."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from partitions.grain import Grain
from partitions.policy import AtEnd, KeyKind, Retention, read_policies
from warehouse.errors import ConfigurationError

HEAD = '[[table]]\nschema = "dwh"\ntable = "events"\nkey = "date_key"\n'


def policies(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "policies.toml"
    path.write_text(text)
    return read_policies(path)


def test_the_policies_that_come_with_cauri() -> None:
    by_name = {policy.name: policy for policy in read_policies()}
    assert list(by_name) == [
        "dwh.fact_transactions",
        "dwh.fact_daily_client_summary",
        "ml.fraud_score",
        "audit.access_log",
    ]
    assert by_name["dwh.fact_transactions"].unique == (("transaction_id",),)
    assert by_name["audit.access_log"].key_kind is KeyKind.MOMENT
    assert by_name["audit.access_log"].at_end is AtEnd.ARCHIVE
    # Nothing of the business goes away unless somebody asks for it.
    assert all(policy.at_end is AtEnd.KEEP for name, policy in by_name.items() if name != "audit.access_log")


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    (policy,) = policies(tmp_path, HEAD)
    assert (policy.grain, policy.premake, policy.at_end, policy.retention) == (Grain.MONTH, 3, AtEnd.KEEP, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grain = 'decade'", "events.grain: Input should be 'day', 'week', 'month', 'quarter' or 'year'"),
        ("premake = -1", "events.premake: Input should be greater than or equal to 0"),
        ("at_end = 'drop'", "at_end is drop, but no retention says when"),
        ("retention = { months = 12 }", "a retention is given, but at_end keeps every leaf"),
        ("retention = { months = 1, days = 3 }", "give one of days, months, years, leaves; found days, months"),
        ("retention = {}", "give one of days, months, years, leaves; found none"),
        (
            "premake = 6\nretention = { months = 3 }\nat_end = 'drop'",
            "the retention is shorter than what premake creates ahead",
        ),
        ("premake = 6\nretention = { leaves = 3 }\nat_end = 'drop'", "the retention is shorter than what premake"),
        ("timezone = 'Mars/Olympus'", "'Mars/Olympus' is not a time zone"),
        ("storage = { fastness = 11 }", "unknown storage option(s) fastness; known: fillfactor"),
        ("tablespace = 'x; DROP TABLE y'", "events.tablespace: String should match pattern"),
        ("colour = 'red'", "events.colour: Extra inputs are not permitted"),
    ],
)
def test_a_contradiction_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        policies(tmp_path, HEAD + text)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="2 problem") as caught:
        policies(tmp_path, HEAD + "premake = -1\n" + HEAD.replace("events", "others") + "grain = 1")
    assert "events.premake" in str(caught.value)
    assert "others.grain" in str(caught.value)


def test_a_table_is_declared_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"declared more than once: dwh\.events"):
        policies(tmp_path, HEAD + HEAD)


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("[[", "is not TOML")])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "policies.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=message):
        read_policies(path)


@pytest.mark.parametrize(
    ("retention", "bound"),
    [
        (Retention(days=30), date(2024, 3, 1)),
        (Retention(months=1), date(2024, 2, 28)),
        (Retention(months=13), date(2023, 2, 28)),
        (Retention(years=10), date(2014, 3, 28)),
        (Retention(years=5000), date(1, 3, 28)),
        (Retention(leaves=3), None),
    ],
)
def test_the_bound_of_a_retention(retention: Retention, bound: date | None) -> None:
    assert retention.bound(date(2024, 3, 31)) == bound
