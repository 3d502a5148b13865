"""How likely a client is still one, and what it will bring: BG/NBD and Gamma-Gamma.

BG/NBD: P. Fader, B. Hardie, K. L. Lee, "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD Model",
Marketing Science 24 (2005): likelihood (6), expected purchases (10). Gamma-Gamma: P. Fader, B. Hardie, "The Gamma-Gamma
Model of Monetary Value" (2013): likelihood (1a), expected value (5). A purchase is a day with a successful transaction,
time runs in weeks, value is the commission of such a day.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import OptimizeResult, minimize
from scipy.special import gammaln, hyp2f1

from ml.rfm.scaling import Floats

DAYS_A_WEEK = 7.0
# Fewer clients do not tell eight parameters apart.
FEWEST_CLIENTS = 50
# More change the parameters in the third digit and take seconds.
MOST_CLIENTS = 20_000
_KEPT_DIGITS = 6
_BOUNDS = (-7.0, 7.0)
# Beyond it an exponential is infinite; long before, who has such odds is gone.
_LARGEST_LOGARITHM = 700.0


@dataclass(frozen=True)
class Lifetime:
    """Parameters: `r`, `alpha`, `a`, `b` of BG/NBD (weeks); `p`, `q`, `gamma` of Gamma-Gamma, `None` if nobody has
    brought commission. `gamma` is in units of the reporting currency.
    """

    r: float
    alpha: float
    a: float
    b: float
    p: float | None = None
    q: float | None = None
    gamma: float | None = None

    def alive(self, clients: pl.DataFrame) -> Floats:
        """Probability that the client will come again; NaN after one day, for the model lets nobody go that early."""
        x, last, age = _history(clients)
        odds = self.a / (self.b + np.maximum(x, 1) - 1) * self._ratio(x, last, age)
        return np.where(x > 0, 1 / (1 + odds), np.nan)

    def active_days(self, clients: pl.DataFrame, days: int) -> Floats:
        """Expected days with a transaction among the next `days`."""
        x, last, age = _history(clients)
        a, b, r = self.a, self.b, self.r
        ahead = days / DAYS_A_WEEK
        z = ahead / (self.alpha + age + ahead)
        # Formula (10) after Euler's transformation of 2F1: what grows with x cancels, and nothing overflows.
        grown = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
        odds = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * self._ratio(x, last, age), 0.0)
        expected: Floats = (a + b + x - 1) / (a - 1) * (1 - grown) / (1 + odds)
        return expected

    def revenue(self, clients: pl.DataFrame, days: int, exponent: int) -> Floats | None:
        """Expected commission of the next `days`, in units of the reporting currency."""
        if self.p is None or self.q is None or self.gamma is None:
            return None
        n = clients["active_days"].to_numpy().astype(np.float64)
        total = clients["revenue_minor"].to_numpy() / 10**exponent
        value: Floats = self.p * (self.gamma + total) / (self.p * n + self.q - 1)
        return value * self.active_days(clients, days)

    def _ratio(self, x: Floats, last: Floats, age: Floats) -> Floats:
        logarithm = (self.r + x) * (np.log(self.alpha + age) - np.log(self.alpha + last))
        powered: Floats = np.exp(np.minimum(logarithm, _LARGEST_LOGARITHM))
        return powered


def fit_lifetime(clients: pl.DataFrame, exponent: int) -> Lifetime | None:
    """Both models by maximum likelihood; `None` if there are too few clients, or the first does not converge."""
    if clients.height < FEWEST_CLIENTS:
        return None
    sample = clients.gather_every(-(-clients.height // MOST_CLIENTS))
    counted = _fit_counts(*_history(sample))
    if counted is None:
        return None
    r, alpha, a, b = counted
    p, q, gamma = _fit_values(sample, exponent) or (None, None, None)
    return Lifetime(r, alpha, a, b, p, q, gamma)


def _history(clients: pl.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Repeated purchases, week of the last one and age, counted from the first."""
    age = clients["age"].to_numpy().astype(np.float64)
    last = age - clients["recency"].to_numpy()
    return clients["active_days"].to_numpy().astype(np.float64) - 1, last / DAYS_A_WEEK, age / DAYS_A_WEEK


def _fit_counts(x: Floats, last: Floats, age: Floats) -> list[float] | None:
    repeats = x > 0

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        begun = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stayed = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        still = -(r + x) * np.log(alpha + age)
        gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last)
        either = np.where(repeats, np.logaddexp(still, gone), still)
        return -float((begun + stayed + either).mean())

    return _kept(minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[_BOUNDS] * 4))


def _fit_values(clients: pl.DataFrame, exponent: int) -> tuple[float, float, float] | None:
    paying = clients.filter(pl.col("revenue_minor") > 0)
    if paying.height < FEWEST_CLIENTS:
        return None
    n = paying["active_days"].to_numpy().astype(np.float64)
    total = paying["revenue_minor"].to_numpy() / 10**exponent
    unit = float(np.median(total / n))
    mean = total / n / unit

    def loss(logs: Floats) -> float:
        # q above 1: the mean over clients has to exist.
        p, q, gamma = np.exp(logs) + np.array([0.0, 1.0, 0.0])
        said = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(gamma) + (p * n - 1) * np.log(mean)
        return -float((said + p * n * np.log(n) - (p * n + q) * np.log(gamma + mean * n)).mean())

    found = _kept(minimize(loss, np.zeros(3), method="L-BFGS-B", bounds=[_BOUNDS] * 3))
    return (found[0], _rounded(found[1] + 1), _rounded(found[2] * unit)) if found else None


def _kept(result: OptimizeResult) -> list[float] | None:
    if not np.isfinite(result.fun):
        return None
    return [_rounded(one) for one in np.exp(result.x)]


def _rounded(value: float) -> float:
    return float(f"{value:.{_KEPT_DIGITS}g}")
