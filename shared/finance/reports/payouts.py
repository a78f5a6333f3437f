"""Payouts: what each came to and whether it arrived, and what became of the money at each provider. Pure."""

from datetime import date

from shared.finance.journal import JournalEntry, Posting, Role, Topic
from shared.finance.reports.columns import ACCOUNT, DAY, money, text
from shared.finance.reports.drawing import by_day
from shared.finance.reports.grouping import Grouping
from shared.finance.reports.origin import Movement, movements_of
from shared.finance.reports.report import Report, Row, Text, figure, sum_of, tiles_of
from shared.finance.reports.scope import Scope
from shared.finance.reports.words import EARLIER, UNKNOWN

_PAYOUTS = (
    DAY,
    ACCOUNT,
    text("payout", "Payout", "提现单号"),
    money("before", "On its way before", "期初在途"),
    money("sent", "Paid out", "提现金额"),
    money("arrived", "Arrived at the bank", "银行到账"),
    money("on_its_way", "On its way", "期末在途", sum_of("before", "sent", "-arrived")),
)
_MOVED = (
    ACCOUNT,
    money("before", "Held before", "期初余额"),
    money("captured", "Captured", "收款"),
    money("refunded", "Refunded", "退款"),
    money("fees", "Fees", "手续费"),
    money("disputes", "Disputes", "争议"),
    money("reserve", "Reserve", "保证金"),
    money("exchange", "Exchange", "兑换"),
    money("other", "Other", "其他"),
    money("payouts", "Paid out", "提现"),
    money(
        "after",
        "Held after",
        "期末余额",
        sum_of("before", "captured", "refunded", "fees", "disputes", "reserve", "exchange", "other", "payouts"),
    ),
)
_COLUMN = {
    Topic.FEE: "fees",
    Topic.DISPUTE: "disputes",
    Topic.RESERVE: "reserve",
    Topic.CONVERSION: "exchange",
    Topic.ROUNDING: "exchange",
    Topic.PAYOUT: "payouts",
}


class PayoutsTally:
    """Payouts one by one, and the balance at each provider from the first day to the last."""

    reaches_back = True

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._moved = Grouping(_MOVED)
        self._first: dict[tuple[str | None, str], date] = {}
        self._sums: dict[tuple[str | None, str, str], list[int]] = {}
        for (role, of, currency), amount in scope.opening.items():
            if role == Role.CLEARING:
                self._moved.add((of or UNKNOWN,), currency, before=amount)

    def add(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            if posting.role is Role.IN_TRANSIT:
                self._add_payout(entry, posting)
        early = self._scope.before(entry)
        for movement in movements_of(entry):
            self._add_movement(movement, entry.topic, early=early)

    def _add_payout(self, entry: JournalEntry, posting: Posting) -> None:
        payout = posting.dimensions.payout or entry.source
        day = self._first.get((posting.of, payout), entry.posted_on)
        self._first[posting.of, payout] = min(day, entry.posted_on)
        sums = self._sums.setdefault((posting.of, payout, posting.currency), [0, 0, 0])
        if self._scope.before(entry):
            sums[0] += posting.amount
        elif entry.topic is Topic.PAYOUT:
            sums[1] += posting.amount
        else:
            sums[2] -= posting.amount

    def _add_movement(self, movement: Movement, topic: Topic, *, early: bool) -> None:
        keys = (movement.account or UNKNOWN,)
        if early:
            self._moved.add(keys, movement.currency, before=movement.gross - movement.fee)
            return
        if topic is Topic.RECEIPT:
            column = "captured" if movement.comes_in else "refunded"
        else:
            column = _COLUMN.get(topic, "other")
        self._moved.add(keys, movement.currency, **{column: movement.gross})
        self._moved.add(keys, movement.currency, fees=-movement.fee)

    def reports(self) -> tuple[Report, ...]:
        payouts = Grouping(_PAYOUTS)
        for (role, of, currency), amount in self._scope.opening.items():
            if role == Role.IN_TRANSIT and amount:
                payouts.add((None, of or UNKNOWN, EARLIER), currency, before=amount)
        for (of, payout, currency), (before, sent, arrived) in self._sums.items():
            keys = (self._first[of, payout], of or UNKNOWN, payout)
            payouts.add(keys, currency, before=before, sent=sent, arrived=arrived)
        rows, totals = payouts.rows(), payouts.totals()
        scope = self._scope
        return (
            Report(
                name="payouts",
                title=Text("Payouts", "提现"),
                about=Text(
                    "What providers sent to the bank, and whether it has arrived there.",
                    "支付平台转往银行的款项及其到账情况。",
                ),
                since=scope.since,
                until=scope.until,
                columns=_PAYOUTS,
                rows=rows,
                totals=totals,
                charts=by_day(Text("Paid out by day", "每日提现"), rows, day=0, parts=((_PAYOUTS[4].heading, _sent),)),
                tiles=tiles_of(Text("Paid out", "提现金额"), _PAYOUTS, totals, "sent"),
            ),
            Report(
                name="provider-balances",
                title=Text("Money at providers", "支付平台资金变动"),
                about=Text(
                    "From what each provider held to what it holds now. Captured and refunded are before fees.",
                    "各支付平台从期初余额到期末余额的变动；收款与退款为扣除手续费前的金额。",
                ),
                since=scope.since,
                until=scope.until,
                columns=_MOVED,
                rows=self._moved.rows(),
                totals=self._moved.totals(),
                notes=(
                    Text(
                        "What a provider keeps back as a reserve is not in these balances.",
                        "支付平台扣留的保证金不含在余额内。",
                    ),
                ),
                tiles=tiles_of(Text("Held by providers", "平台余额"), _MOVED, self._moved.totals(), "after"),
            ),
        )


def _sent(row: Row) -> int:
    return figure(_PAYOUTS, row, "sent")
