"""Step 3: each rule refuses what it names and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.contracts import CONTRACTS
from engine.feeds import FEEDS
from engine.fields import FAULTS_OF_FIELDS, FAULTS_OF_LINES
from tests.frames import CLOCK, GOOD, lines_of, read_and_check, table_file, text_file

FUTURE = (CLOCK + timedelta(days=1, seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
NOT_A_MOMENT = (
    "2024-02-30T10:00:00Z",
    "2023-02-29",
    "31/04/2024 10:00",
    "yesterday",
    "2024-05-17T25:00:00Z",
    "2024-13-01",
)
LONG_AGO = ("1999-12-31T23:59:59Z", "1970-01-01", "01/01/0001", "0001-01-01T00:00:00Z", "-100000000")
NOT_AN_AMOUNT = (
    "NaN",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e3",
    "abc",
    "--",
    "+5",
    ".5",
    "5.",
    "-",
    "1 000",
    "1_000",
    "0x10",
    "٣",
)
TOO_PRECISE = ("1.005", "0.001", "1.0000001", "1.00000000000000000000000001", "99999999999998.99999")
TOO_LARGE = ("100000000000000", "999999999999999", "922337203685478.00", "1" * 30, "123456789012345.67")

REFUSED: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "transactions": {
        "transaction_id_missing": ("transaction_id", ("", "  ")),
        "transaction_id_too_long": ("transaction_id", ("x" * 65,)),
        "transaction_ts_missing": ("transaction_ts", ("",)),
        "transaction_ts_invalid": ("transaction_ts", NOT_A_MOMENT),
        "transaction_ts_too_old": ("transaction_ts", LONG_AGO),
        "transaction_ts_in_future": (
            "transaction_ts",
            (FUTURE, "9999-12-31T23:59:59Z", "99999999999", "+262142-12-31T23:59:59Z"),
        ),
        "client_id_missing": ("client_id", ("",)),
        "service_id_missing": ("service_id", ("",)),
        "service_id_unknown": ("service_id", ("XXX", "sal", "SA")),
        "currency_missing": ("currency", ("",)),
        "currency_unknown": ("currency", ("ZZZ", "ghs", "CFA")),
        "amount_missing": ("amount", ("",)),
        "amount_invalid": ("amount", NOT_AN_AMOUNT),
        "amount_negative": ("amount", ("-5", "-0.01")),
        "amount_too_precise": ("amount", TOO_PRECISE),
        "amount_too_large": ("amount", TOO_LARGE),
        "commission_invalid": ("commission", NOT_AN_AMOUNT),
        "commission_negative": ("commission", ("-5", "-0.01")),
        "commission_too_precise": ("commission", TOO_PRECISE),
        "commission_too_large": ("commission", TOO_LARGE),
        "status_missing": ("status", ("",)),
        "status_unknown": ("status", ("DONE", "success")),
        "processing_ms_invalid": ("processing_ms", ("-1", "86400001", "1.5", "abc", "9" * 30, "1e3")),
        "updated_at_invalid": ("updated_at", NOT_A_MOMENT),
    },
    "clients": {
        "client_id_missing": ("client_id", ("",)),
        "customer_segment_missing": ("customer_segment", ("",)),
        "company_size_missing": ("company_size", ("",)),
        "company_size_unknown": ("company_size", ("HUGE", "small")),
        "risk_level_missing": ("risk_level", ("",)),
        "risk_level_unknown": ("risk_level", ("EXTREME", "low")),
        "country_code_invalid": ("country_code", ("CIV", "ci", "C1", "C")),
        "kyc_level_invalid": ("kyc_level", ("-1", "4", "x", "1.5")),
        "onboarded_on_invalid": ("onboarded_on", ("2023-02-29", "yesterday", "2023-02-03T00:00:00Z")),
        "effective_at_missing": ("effective_at", ("",)),
        "effective_at_invalid": ("effective_at", NOT_A_MOMENT),
        "effective_at_too_old": ("effective_at", LONG_AGO),
        "effective_at_in_future": ("effective_at", (FUTURE,)),
        "updated_at_invalid": ("updated_at", NOT_A_MOMENT),
        "is_deleted_invalid": ("is_deleted", ("maybe", "2")),
    },
    "services": {
        "service_id_missing": ("service_id", ("",)),
        "service_name_missing": ("service_name", ("",)),
        "commission_rate_invalid": ("commission_rate", ("-0.1", "5.01", "abc", "NaN", "inf", "1e999", "9" * 200)),
        "is_active_invalid": ("is_active", ("maybe", "2")),
    },
    "channels": {
        "channel_code_missing": ("channel_code", ("",)),
        "channel_name_missing": ("channel_name", ("",)),
    },
    "locations": {
        "location_code_missing": ("location_code", ("",)),
        "country_code_invalid": ("country_code", ("CIV", "ci")),
        "latitude_invalid": ("latitude", ("90.1", "-90.1", "north", "NaN")),
        "longitude_invalid": ("longitude", ("180.1", "-180.1", "west", "inf")),
    },
    "fraud_labels": {
        "transaction_id_missing": ("transaction_id", ("",)),
        "is_fraud_missing": ("is_fraud", ("",)),
        "is_fraud_invalid": ("is_fraud", ("maybe", "2", "-1")),
        "reported_at_missing": ("reported_at", ("",)),
        "reported_at_invalid": ("reported_at", NOT_A_MOMENT),
        "reported_at_too_old": ("reported_at", LONG_AGO),
        "reported_at_in_future": ("reported_at", (FUTURE,)),
    },
}
ACCEPTED: dict[str, dict[str, tuple[str, ...]]] = {
    "transactions": {
        "transaction_id": ("x" * 64, "é" * 64),
        "transaction_ts": (
            "2000-01-01T00:00:00Z",
            "2024-06-02T12:00:00Z",
            "1700000000",
            "29/02/2024",
            "2024-05-17T10:00:00.5+02:00",
        ),
        "channel_code": ("", "anything"),
        "location_code": ("",),
        "beneficiary_id": ("",),
        "amount": (
            "0",
            "0.00",
            "-0",
            "007",
            "1.5000000",
            "99999999999999",
            "99999999999999.99",
            "000000000000000150.25",
        ),
        "commission": ("", "0", "1.10000000000000000000"),
        "processing_ms": ("", "0", "86400000"),
        "updated_at": ("", "2023-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
    },
    "clients": {
        "country_code": ("", "CI"),
        "kyc_level": ("", "0", "3"),
        "onboarded_on": ("", "29/02/2020", "1901-01-01"),
        "company_name": ("", "Société"),
        "updated_at": ("", "2022-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
        "is_deleted": ("", "0", "OUI"),
        "email": ("",),
    },
    "services": {"commission_rate": ("", "0", "5", "5.0"), "is_active": ("", "0", "OUI", "False", "vrai")},
    "locations": {"latitude": ("", "90", "-90"), "longitude": ("", "180", "-180.0"), "country_code": ("",)},
    "fraud_labels": {"is_fraud": ("0", "TRUE", "non")},
}

BAD = [
    pytest.param(feed, reason, column, value, id=f"{feed}-{reason}-{value[:20]!r}")
    for feed, reasons in REFUSED.items()
    for reason, (column, values) in reasons.items()
    for value in values
]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_rule_has_its_case(feed: str) -> None:
    assert {rule.split("|")[0] for rule in CONTRACTS[feed]._schema_validation_rules()} == set(REFUSED[feed])


@pytest.mark.parametrize("feed", FEEDS)
def test_each_bad_value_trips_its_reason_and_no_other(feed: str, tmp_path: Path) -> None:
    cases = [(reason, column, value) for reason, (column, values) in REFUSED[feed].items() for value in values]
    changes = [{column: value, **without_currency(reason)} for reason, column, value in cases]
    checked = read_and_check(text_file(tmp_path, feed, lines_of(feed, *changes)))
    found = [(case[0], case[2], checked.reasons.get(number)) for number, case in enumerate(cases, start=1)]
    assert [(value, reasons) for _, value, reasons in found] == [(value, [reason]) for reason, value, _ in found]
    assert checked.good.is_empty()


def without_currency(reason: str) -> dict[str, str]:
    # An unknown currency has no number of decimals that an amount could exceed: both stand whole.
    return {"amount": "150", "commission": "1"} if reason.startswith("currency") else {}


@pytest.mark.parametrize("feed", ACCEPTED)
def test_values_at_the_edge_are_good(feed: str, tmp_path: Path) -> None:
    changes = [{column: value} for column, values in ACCEPTED[feed].items() for value in values]
    checked = read_and_check(text_file(tmp_path, feed, lines_of(feed, {}, *changes)))
    assert {number: changes[number - 2] for number in checked.reasons} == {}
    assert checked.good.height == len(changes) + 1


def test_a_row_stands_under_all_its_reasons(tmp_path: Path) -> None:
    change = {"amount": "-1.005", "status": "", "currency": "GHS", "transaction_ts": "1999-01-01"}
    checked = read_and_check(text_file(tmp_path, "transactions", lines_of("transactions", change, {})))
    expected = {"amount_negative", "amount_too_precise", "status_missing", "transaction_ts_too_old"}
    assert set(checked.reasons[1]) == expected
    assert len(checked.reasons[1]) == 4
    assert checked.good["row_number"].to_list() == [2]


def test_a_fault_of_form_is_the_only_reason_of_its_row(tmp_path: Path) -> None:
    content = (
        lines_of("transactions", {})
        + ",,,\n"
        + lines_of("transactions", {"channel_code": "x" * 300, "amount": ""}).split("\n")[1]
    )
    checked = read_and_check(text_file(tmp_path, "transactions", content))
    assert checked.reasons == {2: ["too_few_fields"], 3: ["field_too_long"]}


def test_the_future_is_judged_by_the_clock_of_the_run(tmp_path: Path) -> None:
    edge = CLOCK + timedelta(days=1)
    moments = [
        edge,
        edge + timedelta(microseconds=1),
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, tzinfo=UTC),
    ]
    frame = pl.DataFrame({"transaction_id": ["a", "b", "c", "d"], "is_fraud": [True] * 4, "reported_at": moments})
    checked = read_and_check(table_file(tmp_path, "fraud_labels", frame))
    assert checked.reasons == {2: ["reported_at_in_future"], 4: ["reported_at_too_old"]}


def test_optional_columns_may_be_absent(tmp_path: Path) -> None:
    required = {name: GOOD["transactions"][name] for name in FEEDS["transactions"].required}
    content = ",".join(required) + "\n" + ",".join(required.values()) + "\n"
    checked = read_and_check(text_file(tmp_path, "transactions", content))
    assert checked.reasons == {}
    absent = checked.good.select(
        "channel_code", "location_code", "beneficiary_id", "commission", "processing_ms", "updated_at"
    )
    assert absent.row(0) == (None,) * 6


# --- Nothing is lost.

GOOD_LINES = lines_of("transactions", {"transaction_id": "T9"}, {"commission": ""}, {"company_name": "é"}).split("\n")[
    1:-1
]
ODD_LINES = st.sampled_from(
    ["a,b", "a" + "," * 13, '"x', '"a\nb",c', 'O"Brien' + "," * 12, "", "  ", "\x00" + "," * 12, "x" * 300]
)
MIXTURE = st.lists(
    st.sampled_from(GOOD_LINES)
    | ODD_LINES
    | st.sampled_from(
        [lines_of("transactions", {c: v[-1]}).split("\n")[1] for c, v in REFUSED["transactions"].values()]
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MIXTURE, st.sampled_from([None, 50, 1_000]))
def test_every_line_is_good_or_refused_and_refused_ones_come_back_whole(
    tmp_path: Path, lines: list[str], piece_bytes: int | None
) -> None:
    content = lines_of("transactions") + "".join(f"{line}\n" for line in lines)
    checked = read_and_check(text_file(tmp_path, "transactions", content), piece_bytes)
    in_file = content.split("\n")[1:]
    good = checked.good["row_number"].to_list() if checked.good.width else []
    assert checked.read == len(good) + len(checked.reasons)
    assert all(reasons for reasons in checked.reasons.values())
    told = {*good}
    for number, values in checked.refused_values.items():
        if set(values) == {"line"}:
            height = values["line"].count("\n") + 1
            assert values["line"] == "\n".join(in_file[number - 1 : number - 1 + height]).replace("\x00", "\ufffd00")
            told.update(range(number, number + height))
        else:
            line = in_file[number - 1].replace("\x00", "\ufffd00")
            assert [value or "" for value in values.values()] == line.split(",")
            told.add(number)
    blank = {number for number, line in enumerate(in_file, start=1) if not line.strip()}
    assert told | blank == set(range(1, len(in_file) + 1))
    for number in good:
        assert in_file[number - 1] in GOOD_LINES


@pytest.mark.parametrize("reason", [*FAULTS_OF_LINES, *FAULTS_OF_FIELDS])
def test_a_fault_of_form_is_no_name_of_a_rule(reason: str) -> None:
    assert all(reason not in reasons for reasons in REFUSED.values())
