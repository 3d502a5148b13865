"""What to do about a refused row, by the rule that it failed."""

from engine.outcomes import CONFLICTING_DUPLICATE

CORRECT = "correct"
# What the word means, for whoever reads the list.
CORRECTING = "correct: export the rows, correct the files, and replay each of them"

_EXACT = {
    "service_id_unknown": "load the service, then replay",
    "currency_unknown": "correct, or replay --feeds",
    "status_unknown": "correct, or replay --feeds",
    CONFLICTING_DUPLICATE: "if it is the true one, correct its updated_at to a newer one",
}


def remedy_of(reason: str) -> str:
    """The next step for rows that failed this rule, in a few words."""
    if reason.endswith("_in_future"):
        return "replay when its moment is past"
    if reason.endswith("_invalid"):
        return "correct, or replay --feeds"
    return _EXACT.get(reason, CORRECT)
