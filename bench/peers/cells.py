"""The columns of the daily summary, for the peers that add it up in Python. Needs nothing."""

CELL = ("date_key", "client_key", "service_key", "currency_key")
SUCCESS = 1
COUNTS = {SUCCESS: "successes", 2: "failures", 3: "pendings", 4: "reversals"}
SUMS = (
    "amount_minor",
    "success_amount_minor",
    "commission_minor",
    "processing_ms_sum",
    "processing_ms_count",
    "transactions",
    *COUNTS.values(),
    "anomalies",
)
