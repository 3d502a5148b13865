"""Every feature: its name, what it says, over which window, and what it is where nothing is known."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One column of the matrix. Windows are [t - window, t): neither the transaction itself nor its peers of one moment.

    `trend`: +1 or -1 where more of it may only raise or lower a score, else 0.
    """

    name: str
    family: str
    dtype: str
    window: str
    meaning: str
    null_rule: str
    trend: int = 0

    @property
    def is_nullable(self) -> bool:
        return self.null_rule.startswith("null")


def _family(family: str, *rows: tuple[str, str, str, str] | tuple[str, str, str, str, int]) -> tuple[Feature, ...]:
    return tuple(Feature(row[0], family, "Float64", *row[1:]) for row in rows)


_TEMPORAL = _family(
    "temporal",
    ("local_hour", "-", "Hour and its fraction, in the client's time zone", "never null"),
    ("weekday", "-", "0 Monday to 6 Sunday, in the client's time zone", "never null"),
    ("is_weekend", "-", "Saturday or Sunday there", "never null"),
    ("is_holiday", "-", "Public holiday in the client's country", "0 where no holidays are known"),
    ("is_business_hours", "-", "08:00 to 17:59 of a day that is neither weekend nor holiday", "never null"),
    ("days_to_month_end", "-", "Days left in the month; salaries are paid at its end", "never null"),
    (
        "hour_deviation",
        "90 d",
        "0 to 2: how far the hour is from the client's own hours, on the clock's circle",
        "null without history",
    ),
)
_AMOUNT = _family(
    "amount",
    ("log_amount", "-", "ln(1 + amount)", "never null"),
    ("is_round_amount", "-", "A multiple of 100 units", "never null"),
    ("amount_to_mean_24h", "24 h", "Amount over the client's mean", "null without history"),
    ("amount_to_mean_7d", "7 d", "Amount over the client's mean", "null without history"),
    ("amount_to_mean_30d", "30 d", "Amount over the client's mean", "null without history"),
    ("amount_to_mean_90d", "90 d", "Amount over the client's mean", "null without history"),
    (
        "amount_to_usual",
        "90 d to 14 d ago",
        "Amount over the client's mean before the last 14 days",
        "null without history",
    ),
    ("amount_to_max_90d", "90 d", "Amount over the client's largest", "null without history"),
    (
        "amount_z_7d",
        "7 d",
        "Amount less the client's mean, in standard deviations",
        "null below 2 transactions, or all equal",
    ),
    (
        "amount_z_30d",
        "30 d",
        "Amount less the client's mean, in standard deviations",
        "null below 2 transactions, or all equal",
    ),
    (
        "amount_z_90d",
        "90 d",
        "Amount less the client's mean, in standard deviations",
        "null below 2 transactions, or all equal",
    ),
    ("client_mean_7d", "7 d", "Mean of the client's amounts", "null without history"),
    ("client_mean_30d", "30 d", "Mean of the client's amounts", "null without history"),
    ("client_mean_90d", "90 d", "Mean of the client's amounts", "null without history"),
    ("client_mean_1d_to_usual", "24 h", "The client's mean over that before the last 14 days", "null without history"),
    ("client_mean_3d_to_usual", "3 d", "The client's mean over that before the last 14 days", "null without history"),
    ("client_mean_7d_to_usual", "7 d", "The client's mean over that before the last 14 days", "null without history"),
    ("client_high_3d", "3 d", "Transactions of the client above 2.5 times what was usual when they were made", "0"),
    ("client_high_7d", "7 d", "Transactions of the client above 2.5 times what was usual when they were made", "0"),
    ("client_high_14d", "14 d", "Transactions of the client above 2.5 times what was usual when they were made", "0"),
    (
        "client_highest_to_usual_3d",
        "3 d",
        "The largest ratio of the client's transactions to what was usual when they were made",
        "null without transactions",
    ),
    (
        "client_highest_to_usual_7d",
        "7 d",
        "The largest ratio of the client's transactions to what was usual when they were made",
        "null without transactions",
    ),
)
_VELOCITY = _family(
    "velocity",
    ("client_count_1h", "1 h", "Transactions of the client", "0"),
    ("client_count_24h", "24 h", "Transactions of the client", "0"),
    ("client_count_7d", "7 d", "Transactions of the client", "0"),
    ("client_count_30d", "30 d", "Transactions of the client", "0"),
    (
        "client_amount_24h_to_30d",
        "24 h, 30 d",
        "Sum of the client's amounts in a day over its daily mean",
        "null without history",
    ),
    (
        "client_count_24h_to_30d",
        "24 h, 30 d",
        "Transactions of the client in a day over its daily mean",
        "null without history",
    ),
    (
        "hours_since_previous",
        "90 d",
        "Hours since the client's previous moment of transactions",
        "null without history",
    ),
)
_BENEFICIARY = _family(
    "beneficiary",
    ("client_beneficiaries_24h", "24 h", "Distinct beneficiaries of the client", "0"),
    ("client_beneficiaries_7d", "7 d", "Distinct beneficiaries of the client", "0"),
    ("client_beneficiaries_30d", "30 d", "Distinct beneficiaries of the client", "0"),
    ("client_new_beneficiaries_24h", "24 h", "Transactions of the client to beneficiaries that were new then", "0"),
    ("client_new_beneficiaries_7d", "7 d", "Transactions of the client to beneficiaries that were new then", "0"),
    ("is_new_beneficiary", "90 d", "No transaction of the client to this beneficiary", "null without a beneficiary"),
    ("pair_count_90d", "90 d", "Transactions of the client to this beneficiary", "null without a beneficiary"),
    ("pair_age_days", "90 d", "Days since the first of them", "null if new, or without a beneficiary"),
)
_FAN_IN = _family(
    "fan_in",
    ("beneficiary_count_24h", "24 h", "Transactions to the beneficiary", "null without a beneficiary"),
    ("beneficiary_count_7d", "7 d", "Transactions to the beneficiary", "null without a beneficiary"),
    ("beneficiary_count_30d", "30 d", "Transactions to the beneficiary", "null without a beneficiary"),
    ("beneficiary_clients_24h", "24 h", "Distinct clients that paid the beneficiary", "null without a beneficiary"),
    ("beneficiary_clients_7d", "7 d", "Distinct clients that paid the beneficiary", "null without a beneficiary"),
    ("beneficiary_clients_30d", "30 d", "Distinct clients that paid the beneficiary", "null without a beneficiary"),
)
_CHANNEL = _family(
    "channel",
    ("channel_share_30d", "30 d", "Share of the client's transactions on this channel", "null without history"),
    (
        "is_channel_changed",
        "30 d",
        "Not the client's usual channel: its most frequent; of equals the lowest key",
        "null without history",
    ),
    ("service_share_30d", "30 d", "Share of the client's transactions of this service", "null without history"),
)
_GEOGRAPHY = _family(
    "geography",
    ("is_other_country", "-", "Made in another country than the client's", "null without a place or country"),
    (
        "location_share_30d",
        "30 d",
        "Share of the client's transactions at this location",
        "null without history or place",
    ),
    ("km_from_previous", "90 d", "Great-circle distance to the client's previous place", "null without coordinates"),
    (
        "kmh_from_previous",
        "90 d",
        "That distance over the time since, of at least a minute",
        "null without coordinates",
    ),
    ("km_from_usual", "30 d", "Distance to the centre of the client's places", "null without coordinates"),
)
_RISK = _family(
    "counterparty_risk",
    (
        "beneficiary_risk_7d",
        "7 d",
        "Frauds at the beneficiary that were reported, over its transactions a label delay earlier; (f + 0.02) / (n + 1)",
        "null without a beneficiary",
    ),
    ("beneficiary_risk_14d", "14 d", "As before", "null without a beneficiary"),
    ("beneficiary_risk_28d", "28 d", "As before", "null without a beneficiary"),
    ("beneficiary_frauds_1d", "24 h", "Frauds at the beneficiary that were reported", "null without a beneficiary"),
    ("beneficiary_frauds_3d", "3 d", "Frauds at the beneficiary that were reported", "null without a beneficiary"),
    ("beneficiary_frauds_7d", "7 d", "Frauds at the beneficiary that were reported", "null without a beneficiary"),
    ("beneficiary_frauds_14d", "14 d", "Frauds at the beneficiary that were reported", "null without a beneficiary"),
    ("beneficiary_frauds_21d", "21 d", "Frauds at the beneficiary that were reported", "null without a beneficiary"),
    ("beneficiary_frauds_28d", "28 d", "Frauds at the beneficiary that were reported", "null without a beneficiary"),
    (
        "beneficiary_labelled_28d",
        "28 d",
        "Transactions to the beneficiary, a label delay earlier",
        "null without a beneficiary",
    ),
    (
        "last_labelled_share",
        "90 d to 7 d ago",
        "Share of known frauds among its last 3 transactions of a label delay ago",
        "null without one",
    ),
    ("days_since_fraud_report", "90 d", "Days since the last report of a fraud at the beneficiary", "null without one"),
    ("days_since_first_report", "21 d", "Days since the first of the reports of the last 21 days", "null without one"),
    ("frauds_since_first_report", "21 d", "Frauds reported since that first one", "null without a beneficiary"),
    (
        "honest_since_first_report",
        "21 d",
        "Other transactions of the beneficiary since that first fraud, a label delay ago at least",
        "null without a report",
    ),
    (
        "fraud_share_since_first_report",
        "21 d",
        "Share of known frauds among the transactions since that first one",
        "null without a report",
    ),
    (
        "ordinary_frauds_28d",
        "28 d",
        "Reported frauds at the beneficiary whose amount was below 2.5 times the client's usual: the beneficiary is suspect, not the client",
        "null without a beneficiary",
    ),
    ("days_since_first_ordinary", "21 d", "Days since the first report of such a fraud", "null without one"),
    ("frauds_since_first_ordinary", "21 d", "Such frauds reported since that first one", "null without a beneficiary"),
    (
        "honest_since_first_ordinary",
        "21 d",
        "Other transactions of the beneficiary since that first one, a label delay ago at least",
        "null without a report",
    ),
    (
        "fraud_share_since_first_ordinary",
        "21 d",
        "Share of known frauds among the transactions since that first one",
        "null without a report",
    ),
    (
        "location_risk_28d",
        "28 d",
        "Frauds reported at the location, over its transactions a label delay earlier, smoothed",
        "null without a place",
    ),
)
_CLIENT = _family(
    "client",
    ("client_size", "as of", "Company size: 0 MICRO to 3 LARGE", "null if unknown"),
    ("client_risk_level", "as of", "Risk level: 0 LOW to 2 HIGH", "null if unknown"),
    ("client_kyc_level", "as of", "Level of know-your-customer checks", "null if unknown"),
    ("client_tenure_days", "as of", "Days since the client was taken on", "null if unknown"),
)
_COLD = _family(
    "cold_start",
    ("client_count_90d", "90 d", "Transactions of the client", "0"),
    ("is_cold_start", "90 d", "Fewer than 3 of them: deviations mean little", "never null"),
)

FEATURES = (
    *_TEMPORAL, *_AMOUNT, *_VELOCITY, *_BENEFICIARY, *_FAN_IN, *_CHANNEL, *_GEOGRAPHY, *_RISK, *_CLIENT, *_COLD
)  # fmt: skip
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
