"""How much to order: past demand, its forecast, and a proposal. Pure, deterministic, standard library only.

Two methods compete for each SKU: Croston's with the Syntetos-Boylan correction (SBA) and the mean of two
Teunter-Syntetos-Babai smoothers (TSB), whose forecast decays when a SKU stops selling. A backtest over the SKU's own
past picks the one whose reorder levels cost less by pinball loss. It always asks about three weeks and the same three
quantiles, so that the choice depends on the past alone: a longer lead time or a higher service level never lowers a
level.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Protocol

from shared.inventory.ledger import Movement
from shared.inventory.low_stock import PlanningRules, StockState
from shared.kernel.model import Canonical

DailyUnits = Sequence[int | None]
"""Units sold on each day, oldest first, up to yesterday. None: the SKU was out of stock, so demand is unknown."""

HISTORY_DAYS = 364
_DAYS = 7
_ORDERS = frozenset({"order", "review", "release", "cancel"})
"""Causes of movements that orders make."""
_SBA_ALPHA = 0.2
_TSB_ALPHAS = (0.1, 0.3)
_VARIANCE_ALPHA = 0.05
_WARM_UP_WEEKS = 4
_HORIZON_WEEKS = 3
_MOST_ORIGINS = 26
_QUANTILES = (0.90, 0.95, 0.99)
_STEADY = 1e-4
"""Squared coefficient of variation below which demand counts as constant."""
_CONVERGED = 1e-14
_MOST_COUNTED = 200.0
"""Mean weekly units up to which single units are counted; above, the gamma distribution tells no difference."""


class SalesHistory(Protocol):
    def daily_units(self, sku: str, location: str, days: int) -> DailyUnits:
        """Units sold on each of the last `days` whole days; empty when nothing is known."""
        ...


@dataclass(frozen=True)
class Forecast:
    """Demand in a week, by mean and variance."""

    mean: float
    variance: float
    counted: bool
    """Single units matter: negative binomial or Poisson instead of gamma."""

    def quantile(self, probability: float, weeks: float) -> int:
        """Units that demand over so many weeks stays within, at this probability. Grows with both."""
        mean, variance = self.mean * weeks, self.variance * weeks
        if mean <= 0:
            return 0
        if self.variance <= _STEADY * self.mean * self.mean:
            return math.ceil(mean - 1e-9)
        if self.counted and self.mean <= _MOST_COUNTED:
            return _count_quantile(mean, variance, probability)
        return math.ceil(_gamma_quantile(mean * mean / variance, variance / mean, probability) - 1e-9)


class Proposal(Canonical):
    """What to order of one SKU for one location, in whole units."""

    quantity: int
    """Zero, or a multiple of the pack size that is no less than the minimum order."""
    point: int | None
    """The reorder point that was applied: the line's own, or the computed one."""
    target: int
    """What the order fills up to."""
    days_of_cover: int | None


def forecast(daily: DailyUnits) -> Forecast | None:
    """The method that fits this past better; None when there are no four weeks to judge by."""
    weeks = weekly(daily)
    if len(weeks) < _WARM_UP_WEEKS:
        return None
    return min((_tsb_mix, _sba), key=lambda method: _loss(method, weeks))(weeks)


def daily_sales(movements: Iterable[Movement], *, today: date, days: int) -> DailyUnits:
    """Units that orders took on each of the last `days` whole days (UTC), from the line's movements in sequence.

    What orders take is what they reserve or ship unreserved, less what their cancellation gives back that day. Counts,
    receipts and transfers are no demand. The days begin with the line's first movement. A day that began without
    stock, and on which nothing was sold, tells nothing of demand.
    """
    sold: dict[date, int] = {}
    empty: dict[date, bool] = {}
    for movement in movements:
        day = movement.at.astimezone(UTC).date()
        taken = movement.reserved - movement.on_hand if movement.cause.kind in _ORDERS else 0
        sold[day] = sold.get(day, 0) + taken
        empty[day] = movement.on_hand_after <= movement.reserved_after
    if not sold:
        return ()
    first = max(min(sold), today - timedelta(days=days))
    was_empty = next((empty[day] for day in sorted(empty, reverse=True) if day < first), False)
    units: list[int | None] = []
    for offset in range((today - first).days):
        day = first + timedelta(days=offset)
        units_sold = max(0, sold.get(day, 0))
        units.append(None if was_empty and not units_sold else units_sold)
        was_empty = empty.get(day, was_empty)
    return units


def weekly(daily: DailyUnits) -> list[int]:
    """Whole weeks, counted back from the last day. A week with a day out of stock says nothing of demand: left out."""
    first = len(daily) % _DAYS
    weeks = [daily[start : start + _DAYS] for start in range(first, len(daily), _DAYS)]
    return [sum(day for day in week if day is not None) for week in weeks if None not in week]


def reorder_point(expected: Forecast, rules: PlanningRules) -> int:
    """Units that outlast lead and review time with the probability that the rules ask for."""
    return expected.quantile(rules.service_level, (rules.lead_days + rules.review_days) / _DAYS)


def point_of(own: int | None, expected: Forecast | None, rules: PlanningRules) -> int | None:
    """The line's own reorder point; else a computed one, when planning asks for that and the past allows it."""
    if own is not None or expected is None or not rules.compute_points:
        return own
    return reorder_point(expected, rules)


def propose(
    *, free: int, on_order: int, point: int | None, expected: Forecast | None, rules: PlanningRules
) -> Proposal:
    """How much to order now.

    The target is what leaves the line sufficient again: above the point and its margin, and above what lead and
    review time need; and then what one review period sells, so that the next order is not due at once.
    """
    target = (point or 0) + rules.margin(point or 0) + 1
    if expected is not None:
        between_orders = math.ceil(expected.mean * rules.review_days / _DAYS - 1e-9)
        target = max(target, reorder_point(expected, rules) + between_orders)
    return Proposal(
        quantity=_order(target - free - on_order, rules),
        point=point,
        target=target,
        days_of_cover=_cover(free, expected),
    )


def urgency(state: StockState, days_of_cover: int | None, free: int) -> tuple[int, float, int]:
    """Sorts what must be ordered first to the front: what is out, then what runs out soonest."""
    cover = math.inf if days_of_cover is None else days_of_cover
    return 0 if state is StockState.OUT else 1, cover, free


def _order(missing: int, rules: PlanningRules) -> int:
    if missing <= 0:
        return 0
    packs = -(-max(missing, rules.minimum_order) // rules.pack_size)
    return packs * rules.pack_size


def _cover(free: int, expected: Forecast | None) -> int | None:
    if expected is None or expected.mean <= 0:
        return None
    return max(0, math.floor(free * _DAYS / expected.mean))


# ---- methods: a past in weeks to a forecast of the next --------------------------------------------------------------

Method = Callable[[Sequence[int]], Forecast]


class _SmoothedVariance:
    """Exponentially weighted squared error, with weights that add up to one from the first week on."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._weight = 0.0

    def add(self, error: float) -> None:
        self._sum += _VARIANCE_ALPHA * (error * error - self._sum)
        self._weight += _VARIANCE_ALPHA * (1.0 - self._weight)

    @property
    def value(self) -> float:
        return self._sum / self._weight if self._weight else 0.0


def _sba(weeks: Sequence[int]) -> Forecast:
    """Croston's method with the correction of Syntetos and Boylan; counted units."""
    size = interval = 0.0
    since = 1
    errors = _SmoothedVariance()
    for units in weeks:
        if interval:
            errors.add(units - _sba_rate(size, interval))
        if units:
            size = units if not interval else size + _SBA_ALPHA * (units - size)
            interval = since if not interval else interval + _SBA_ALPHA * (since - interval)
            since = 1
        else:
            since += 1
    return Forecast(_sba_rate(size, interval), errors.value, counted=True)


def _sba_rate(size: float, interval: float) -> float:
    return (1 - _SBA_ALPHA / 2) * size / interval if interval else 0.0


def _tsb_mix(weeks: Sequence[int]) -> Forecast:
    """The mean of two TSB smoothers, a slow and a quick one; gamma."""
    smoothers = [_Tsb(alpha) for alpha in _TSB_ALPHAS]
    errors = _SmoothedVariance()
    started = False
    for units in weeks:
        if started:
            errors.add(units - _mean(smoothers))
        started = started or units > 0
        for smoother in smoothers:
            smoother.add(units)
    return Forecast(_mean(smoothers), errors.value, counted=False)


class _Tsb:
    """Teunter, Syntetos and Babai: probability and size of demand, the probability updated in weeks of none too."""

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._size = 0.0
        self._probability = 0.0
        self._seen = 0.0

    def add(self, units: int) -> None:
        self._seen += self._alpha * (1.0 - self._seen)
        self._probability += self._alpha * ((1.0 if units else 0.0) - self._probability)
        if units:
            self._size = units if not self._size else self._size + self._alpha * (units - self._size)

    @property
    def rate(self) -> float:
        return self._size * self._probability / self._seen if self._seen else 0.0


def _mean(smoothers: Sequence[_Tsb]) -> float:
    return sum(smoother.rate for smoother in smoothers) / len(smoothers)


def _loss(method: Method, weeks: Sequence[int]) -> float:
    """What the method's levels over three weeks would have cost, at each of the last origins that can be judged."""
    last = len(weeks) - _HORIZON_WEEKS
    first = max(_WARM_UP_WEEKS, last - _MOST_ORIGINS + 1)
    total = 0.0
    for origin in range(first, last + 1):
        demand = sum(weeks[origin : origin + _HORIZON_WEEKS])
        expected = method(weeks[:origin])
        total += sum(_pinball(demand, expected.quantile(q, _HORIZON_WEEKS), q) for q in _QUANTILES)
    return total


def _pinball(actual: int, level: int, quantile: float) -> float:
    short = actual - level
    return quantile * short if short >= 0 else (quantile - 1) * short


# ---- distributions ---------------------------------------------------------------------------------------------------


def _count_quantile(mean: float, variance: float, probability: float) -> int:
    """Of the negative binomial distribution; of Poisson's where the variance does not exceed the mean."""
    overdispersed = variance > mean * (1 + 1e-9)
    size = mean * mean / (variance - mean) if overdispersed else 0.0
    total = 0.0
    most = math.ceil(mean + 60 * math.sqrt(max(variance, mean)) + 60)  # beyond any quantile that rules may ask for
    for units in range(most):
        total += math.exp(_log_negative_binomial(units, size, mean) if overdispersed else _log_poisson(units, mean))
        if total >= probability - 1e-12:
            return units
    return most


def _log_poisson(units: int, mean: float) -> float:
    return units * math.log(mean) - mean - math.lgamma(units + 1)


def _log_negative_binomial(units: int, size: float, mean: float) -> float:
    return (
        math.lgamma(units + size)
        - math.lgamma(size)
        - math.lgamma(units + 1)
        + size * math.log(size / (size + mean))
        + units * math.log(mean / (size + mean))
    )


def _gamma_quantile(shape: float, scale: float, probability: float) -> float:
    """By bisection of the distribution function."""
    low, high = 0.0, shape + 1.0
    while _gamma_cdf(shape, high) < probability:
        low, high = high, high * 2
    for _ in range(80):
        middle = (low + high) / 2
        if _gamma_cdf(shape, middle) < probability:
            low = middle
        else:
            high = middle
    return high * scale


def _gamma_cdf(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function: its series below the mean, its continued fraction above."""
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    return front * _gamma_series(shape, x) if x < shape + 1 else 1.0 - front * _gamma_fraction(shape, x)


def _gamma_series(shape: float, x: float) -> float:
    term = total = 1.0 / shape
    divisor = shape
    while term > total * 1e-15:
        divisor += 1
        term *= x / divisor
        total += term
    return total


def _gamma_fraction(shape: float, x: float) -> float:
    """Lentz's method."""
    tiny = 1e-300
    b = x + 1 - shape
    c = 1 / tiny
    d = h = 1 / (b or tiny)
    step = 0
    while True:
        step += 1
        factor = -step * (step - shape)
        b += 2
        d = 1 / ((factor * d + b) or tiny)
        c = (b + factor / c) or tiny
        change = d * c
        h *= change
        if abs(change - 1) < _CONVERGED:
            return h
