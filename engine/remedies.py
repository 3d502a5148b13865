"""What to do about a refused row, by the rule that it failed."""

from engine.outcomes import CONFLICTING_DUPLICATE
from engine.read import FAULTS_OF_FIELDS, FAULTS_OF_LINES

REPLAY_LATER = "wait until its moment is past, then replay"
CORRECT = "export, correct, replay the file"
_EXACT = {
    "service_id_unknown": "load the service, then replay; or correct its id",
    "currency_unknown": "correct the code, or the mapping (--feeds); then replay",
    "status_unknown": "correct the status, or the mapping (--feeds); then replay",
    CONFLICTING_DUPLICATE: "if it is the true one: export, give it a newer updated_at, replay the file",
}


def remedy_of(reason: str) -> str:
    """The next step for rows that failed this rule."""
    if reason in _EXACT:
        return _EXACT[reason]
    if reason.endswith("_in_future"):
        return REPLAY_LATER
    if reason in FAULTS_OF_LINES:
        return "export, fill the columns from the raw line, replay the file"
    if reason in FAULTS_OF_FIELDS or reason.endswith("_missing"):
        return CORRECT
    return "correct the values (export, replay the file), or the mapping (replay --feeds)"
