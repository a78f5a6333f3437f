"""Defects of webhook and intake: what came is lost, counted twice, or overwritten by what is older."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from shared.kernel.errors import Conflict, Retry
from shared.kernel.versions import Comparison, Version, compare
from shared.orders import intake
from shared.orders.decision import Commit
from shared.orders.table import OrderTable
from shared.platform import observability
from shared.platform.ingress_queue import IngressQueue
from shared.platform.intake_queue import IntakeQueue
from shared.sync.repair import missed
from shared.wiring import order_intake, order_review
from tests.simulation.invariants import NEWER
from tests.simulation.mutants.mutant import Mutant, always, doing_nothing, swallowing


def _everything_else_is_newer(_real: object) -> Callable[[Version, Version], Comparison]:
    def by_body(incoming: Version, stored: Version) -> Comparison:
        return Comparison.SAME if incoming.body_sha256 == stored.body_sha256 else Comparison.NEWER

    return by_body


def _arrival_decides(_real: object) -> Callable[[Version, Version], Comparison]:
    def by_arrival(incoming: Version, stored: Version) -> Comparison:
        if incoming.states_the_same(stored):
            return Comparison.SAME
        return Comparison.NEWER if incoming.observed_at > stored.observed_at else Comparison.OLDER

    return by_arrival


def _ties_are(verdict: Comparison) -> Callable[[object], Callable[[Version, Version], Comparison]]:
    def make(_real: object) -> Callable[[Version, Version], Comparison]:
        def decided(incoming: Version, stored: Version) -> Comparison:
            found = compare(incoming, stored)
            return verdict if found is Comparison.UNDECIDED else found

        return decided

    return make


def _blindly(real: Callable[..., Any]) -> Callable[..., Any]:
    def writing(self: OrderTable, commit: Commit) -> Any:
        return always(real(self, commit))

    return writing


def _unless_it_is_new(real: Callable[..., Any]) -> Callable[..., Any]:
    def creating(self: OrderTable, record: Any) -> Any:
        return always(real(self, record))

    return creating


def _as_a_whole(real: Callable[..., Any]) -> Callable[..., Any]:
    """What a put of the whole item would do to an attribute that only newer code knows."""

    def replacing(self: OrderTable, record: Any, revision: int) -> Any:
        operation = real(self, record, revision)
        text = operation["UpdateExpression"]
        removal = f"REMOVE {NEWER}"
        operation["UpdateExpression"] = (
            text.replace("REMOVE ", f"{removal}, ") if "REMOVE " in text else f"{text} {removal}"
        )
        return operation

    return replacing


def _record_then_stock(_real: object) -> Callable[..., None]:
    def commit_all(self: OrderTable, commits: Sequence[Commit]) -> None:
        _write_records(self, commits)
        _move_stock(self, commits)

    return commit_all


def _stock_then_record(_real: object) -> Callable[..., None]:
    def commit_all(self: OrderTable, commits: Sequence[Commit]) -> None:
        _move_stock(self, commits)
        _write_records(self, commits)

    return commit_all


def _write_records(table: OrderTable, commits: Sequence[Commit]) -> None:
    for commit in commits:
        kind = "Put" if commit.replaces is None else "Update"
        table._table.write(table._writing(commit), kind=kind)


def _move_stock(table: OrderTable, commits: Sequence[Commit]) -> None:
    for commit in commits:
        for change in commit.changes:
            stock = table._stock
            stock._table.write(stock.applying(change, commit.record.cause), kind="Update")


def _stock_again_after_a_time_out(real: Callable[..., None]) -> Callable[..., None]:
    def commit_all(self: OrderTable, commits: Sequence[Commit]) -> None:
        try:
            real(self, commits)
        except Retry:
            _move_stock(self, commits)
            raise

    return commit_all


def _naming_the_buyer(real: Callable[..., Any]) -> Callable[..., Any]:
    def take_in(shop: str, reading: Any, desk: Any) -> Any:
        order = getattr(reading, "order", None)
        observability.logger().info("order of", extra={"buyer": order.personal.email if order else None})
        return real(shop, reading, desk)

    return take_in


def _only_missing_ones(real: Callable[..., Any]) -> Callable[..., Any]:
    def compared(*args: Any) -> Any:
        found = real(*args)
        return found._replace(newer=frozenset())

    return compared


MUTANTS: Final = (
    Mutant(
        "acknowledged before it is queued",
        "the webhook answers 200 although the queue did not take the delivery",
        IngressQueue,
        "__call__",
        swallowing(Retry),
    ),
    Mutant(
        "failed and acknowledged",
        "intake swallows a passing error, so that the message is deleted",
        order_intake.Batch,
        "process",
        swallowing(Retry, Conflict),
    ),
    Mutant(
        "set aside and gone",
        "what can never be taken in is dropped in place of being put onto the dead-letter queue",
        IntakeQueue,
        "set_aside",
        doing_nothing,
    ),
    Mutant(
        "known by its body alone",
        "an account is new unless its body was seen last: what comes late overwrites what is newer",
        intake,
        "compare",
        _everything_else_is_newer,
    ),
    Mutant(
        "the last to arrive wins",
        "accounts are ordered by when they came, not by when the shop changed the order",
        intake,
        "compare",
        _arrival_decides,
    ),
    Mutant(
        "a tie is news",
        "of two accounts of one second the later one to come counts, without asking the shop",
        intake,
        "compare",
        _ties_are(Comparison.NEWER),
    ),
    Mutant(
        "a tie is old",
        "of two accounts of one second the first to come counts, without asking the shop",
        intake,
        "compare",
        _ties_are(Comparison.OLDER),
    ),
    Mutant(
        "blind write of the record",
        "the record is written without looking at the revision that it was decided on",
        OrderTable,
        "_writing",
        _blindly,
    ),
    Mutant(
        "blind write of a new record",
        "a new record overwrites one that another worker has just made",
        OrderTable,
        "_creating",
        _unless_it_is_new,
        "rush",
    ),
    Mutant(
        "record, then stock",
        "two writes in place of one transaction, the record first",
        OrderTable,
        "commit_all",
        _record_then_stock,
    ),
    Mutant(
        "stock, then record",
        "two writes in place of one transaction, the stock first",
        OrderTable,
        "commit_all",
        _stock_then_record,
    ),
    Mutant(
        "stock again after a time-out",
        "when the outcome of a commit is unknown its stock moves are sent once more",
        OrderTable,
        "commit_all",
        _stock_again_after_a_time_out,
    ),
    Mutant(
        "unknown means done",
        "a time-out of the commit counts as success",
        OrderTable,
        "commit_all",
        swallowing(Retry),
    ),
    Mutant(
        "refused means done",
        "a commit that a condition refused counts as success",
        OrderTable,
        "commit_all",
        swallowing(Conflict),
        "rush",
    ),
    Mutant(
        "no account",
        "the record is committed, and the account that it was made of is not kept",
        OrderTable,
        "write_account",
        doing_nothing,
    ),
    Mutant(
        "written as a whole",
        "a record is put as a whole, so that what a newer version of the code added is lost",
        OrderTable,
        "_replacing",
        _as_a_whole,
    ),
    Mutant(
        "nothing is looked at again",
        "orders that wait for stock are not reviewed when it comes in",
        order_review,
        "reconsider_shop",
        lambda _real: lambda _shop, _desk: iter(()),
    ),
    Mutant(
        "repair sees only what is missing",
        "an order that is here in an older state is not fetched again",
        missed,
        "compare",
        _only_missing_ones,
    ),
    Mutant(
        "the log names the buyer",
        "a line of the log holds the buyer's e-mail address",
        order_intake,
        "take_in",
        _naming_the_buyer,
    ),
)
