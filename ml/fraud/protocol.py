"""How a model is judged: trained, then as many days later as labels take, tested; and again, some days on."""

from dataclasses import dataclass
from datetime import date, timedelta

from ml.fraud.windows import Days
from warehouse.errors import TrainingError


@dataclass(frozen=True)
class Protocol:
    """Days of each window; between training and test lies the label delay.

    `train`: None is all that was labelled by then. `capacity`: clients that are looked at a day. `removes_known`: leave
    out of a test day the clients whose fraud was known by then, for they are blocked.
    """

    name: str
    train: int | None
    delay: int
    test: int
    capacity: int
    removes_known: bool


# Le Borgne et al., Reproducible Machine Learning for Credit Card Fraud Detection: chapters 3 and 5.
HANDBOOK = Protocol("handbook", 7, 7, 7, 100, removes_known=True)
TIME_FORWARD = Protocol("time-forward", None, 7, 7, 100, removes_known=False)
PROTOCOLS = {protocol.name: protocol for protocol in (HANDBOOK, TIME_FORWARD)}


@dataclass(frozen=True)
class Fold:
    """One judgement. `test` comes a delay after `train`; `known`: the delay, whose frauds are reported day by day."""

    train: Days
    known: Days
    test: Days

    def extended(self, since: date) -> "Fold":
        """The same, trained from another day on."""
        return Fold(Days(since, self.train.until), self.known, self.test)


def folds(protocol: Protocol, first: date, since: date, until: date) -> list[Fold]:
    """The folds whose test windows lie one after the other in [since, until), the earliest first.

    `first`: first day of the transactions.

    Raises:
        TrainingError: no whole window fits, or there is nothing to train on before the first.
    """
    number = (until - since).days // protocol.test
    if number < 1:
        raise TrainingError(
            f"{since} to before {until} is {(until - since).days} days; a test window of the protocol"
            f" {protocol.name} takes {protocol.test}",
            remedy="give days further apart: --from, --to",
        )
    found = [fold_of(protocol, first, since + timedelta(days=protocol.test * place)) for place in range(number)]
    if found[0].train.since < first or found[0].train.number < 1:
        raise TrainingError(
            f"the test window from {since} needs training from {found[0].train.since} to before"
            f" {found[0].train.until}; transactions begin on {first}",
            remedy="give a later --from",
        )
    return found


def fold_of(protocol: Protocol, first: date, tested: date) -> Fold:
    """The fold whose test window begins on a day."""
    end = tested - timedelta(days=protocol.delay)
    begin = first if protocol.train is None else end - timedelta(days=protocol.train)
    return Fold(Days(begin, end), Days(end, tested), Days(tested, tested + timedelta(days=protocol.test)))


def earlier(protocol: Protocol, fold: Fold, first: date) -> Fold | None:
    """The fold on which limits for this one can be frozen: all its labels are known when this one's test begins.

    None if there is nothing to train it on.
    """
    tested = fold.test.since - timedelta(days=protocol.delay + protocol.test)
    before = fold_of(protocol, first, tested)
    return before if before.train.number > 0 and before.train.since >= first else None
