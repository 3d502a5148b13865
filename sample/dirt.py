"""Ways in which a row can be bad. Each bad row trips exactly one rule of its feed."""

from __future__ import annotations

from dataclasses import dataclass

from sample.dialect import Dialect

TOO_LONG = "X" * 300
NOT_UTF8 = b"\xc3\x28\xff"


@dataclass(frozen=True)
class Dirt:
    """Which column gets which values; `in_table`: the values also fit the types of a Parquet column.

    `{amount}` stands for the amount of the row, `{cents}` for the zeros of its currency.
    """

    column: str
    values: tuple[str, ...]
    in_table: bool = False


NOT_A_MOMENT = ("2024-02-30T10:00:00Z", "2024-13-01T10:00:00Z", "yesterday", "2024-05-17T25:61:00Z")
LONG_AGO = ("1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1899-12-30T00:00:00Z")
FAR_AHEAD = ("2099-06-15T12:00:00Z", "2099-12-31T23:59:59Z")
NOT_A_NUMBER = ("NaN", "1e999", "abc", "--")
EMPTY = ("",)
TOO_LARGE = ("123456789012345{cents}", "999999999999999{cents}")

TRANSACTIONS = {
    "transaction_id_missing": Dirt("transaction_id", EMPTY, True),
    "transaction_ts_missing": Dirt("transaction_ts", EMPTY, True),
    "transaction_ts_invalid": Dirt("transaction_ts", NOT_A_MOMENT),
    "transaction_ts_too_old": Dirt("transaction_ts", LONG_AGO, True),
    "transaction_ts_in_future": Dirt("transaction_ts", FAR_AHEAD, True),
    "client_id_missing": Dirt("client_id", EMPTY, True),
    "service_id_missing": Dirt("service_id", EMPTY, True),
    "service_id_unknown": Dirt("service_id", ("SVC-999", "XXX", "SAL_BULK"), True),
    "currency_missing": Dirt("currency", EMPTY, True),
    "currency_unknown": Dirt("currency", ("ZZZ", "QQQ", "CFA"), True),
    "amount_missing": Dirt("amount", EMPTY, True),
    "amount_invalid": Dirt("amount", NOT_A_NUMBER),
    "amount_negative": Dirt("amount", ("-{amount}",), True),
    "amount_too_precise": Dirt("amount", ("{amount}{finer}",), True),
    "amount_too_large": Dirt("amount", TOO_LARGE, True),
    "commission_invalid": Dirt("commission", NOT_A_NUMBER),
    "commission_negative": Dirt("commission", ("-{amount}",), True),
    "commission_too_precise": Dirt("commission", ("{amount}{finer}",), True),
    "commission_too_large": Dirt("commission", TOO_LARGE, True),
    "status_missing": Dirt("status", EMPTY, True),
    "status_unknown": Dirt("status", ("DONE", "OK", "CANCELLED"), True),
    "processing_ms_invalid": Dirt("processing_ms", ("-5", "86400001"), True),
    "updated_at_invalid": Dirt("updated_at", NOT_A_MOMENT),
    "field_too_long": Dirt("location_code", (TOO_LONG,), True),
    "line_break": Dirt("location_code", ('"CI\nABJ"', '"SN\n\nDKR"')),
    "broken_text": Dirt("beneficiary_id", ("\x00", "+225\x0007")),
    "too_many_fields": Dirt("", EMPTY),
    "too_few_fields": Dirt("", EMPTY),
}
CLIENTS = {
    "client_id_missing": Dirt("client_id", EMPTY, True),
    "customer_segment_missing": Dirt("customer_segment", EMPTY, True),
    "company_size_missing": Dirt("company_size", EMPTY, True),
    "company_size_unknown": Dirt("company_size", ("HUGE",), True),
    "risk_level_missing": Dirt("risk_level", EMPTY, True),
    "risk_level_unknown": Dirt("risk_level", ("EXTREME",), True),
    "country_code_invalid": Dirt("country_code", ("C1",), True),
    "kyc_level_invalid": Dirt("kyc_level", ("7",), True),
    "onboarded_on_invalid": Dirt("onboarded_on", ("2023-02-29",)),
    "effective_at_missing": Dirt("effective_at", EMPTY, True),
    "effective_at_invalid": Dirt("effective_at", NOT_A_MOMENT),
    "effective_at_too_old": Dirt("effective_at", LONG_AGO, True),
    "effective_at_in_future": Dirt("effective_at", FAR_AHEAD, True),
    "field_too_long": Dirt("company_name", (TOO_LONG,), True),
    "line_break": Dirt("company_name", ('"Société\nKoné"',)),
    "broken_text": Dirt("company_name", ("Koné\x00",)),
    "too_many_fields": Dirt("", EMPTY),
    "too_few_fields": Dirt("", EMPTY),
}
LOCATIONS = {
    "location_code_missing": Dirt("location_code", EMPTY, True),
    "country_code_invalid": Dirt("country_code", ("C1",), True),
    "latitude_invalid": Dirt("latitude", ("95.5",), True),
    "longitude_invalid": Dirt("longitude", ("-200.25",), True),
}
FRAUD_LABELS = {
    "transaction_id_missing": Dirt("transaction_id", EMPTY, True),
    "is_fraud_missing": Dirt("is_fraud", EMPTY, True),
    "is_fraud_invalid": Dirt("is_fraud", ("maybe",)),
    "reported_at_missing": Dirt("reported_at", EMPTY, True),
    "reported_at_invalid": Dirt("reported_at", NOT_A_MOMENT),
    "reported_at_too_old": Dirt("reported_at", LONG_AGO, True),
    "reported_at_in_future": Dirt("reported_at", FAR_AHEAD, True),
    "too_few_fields": Dirt("", EMPTY),
}
DIRT = {"transactions": TRANSACTIONS, "clients": CLIENTS, "locations": LOCATIONS, "fraud_labels": FRAUD_LABELS}

# Reasons of a transaction by number; 0 is none.
REASONS = ("", *TRANSACTIONS, "conflicting_duplicate")
CONFLICT = len(REASONS) - 1

Fields = dict[str, str]


def reasons_in(as_table: bool) -> list[int]:
    """Numbers of the reasons that a row by itself can have in a text file, or in a table of typed columns."""
    return [REASONS.index(reason) for reason, dirt in TRANSACTIONS.items() if dirt.in_table or not as_table]


def soil(feed: str, reason: str, clean: Fields, turn: int) -> Fields:
    """The canonical fields of a row, with the one field broken that the reason is about."""
    dirt = DIRT[feed][reason]
    if not dirt.column:
        return clean
    amount = clean.get("amount", "")
    whole, mark, cents = amount.partition(".")
    value = dirt.values[turn % len(dirt.values)]
    value = value.replace("{amount}", amount).replace("{cents}", mark + "0" * len(cents))
    broken = clean | {dirt.column: value.replace("{finer}", "5" if mark else ".5")}
    if reason in ("currency_missing", "currency_unknown"):
        # Without its currency an amount has no number of decimals to be wrong about.
        broken |= {"amount": whole, "commission": clean["commission"].partition(".")[0]}
    return broken


def dirty_line(feed: str, reason: str, clean: Fields, turn: int, dialect: Dialect) -> bytes:
    """The line of a bad row, without its line end, as the file holds it."""
    fields = [dialect.field(value) for value in soil(feed, reason, clean, turn).values()]
    if reason == "too_many_fields":
        fields.append("EXTRA")
    if reason == "too_few_fields":
        fields = fields[: -1 - turn % 2]
    line = dialect.separator.join(fields).encode(dialect.encoding)
    if reason == "broken_text" and dialect.encoding == "utf-8" and turn % 2:
        line = line.replace(b"\x00", NOT_UTF8)
    return line
