"""Post a stocktake: each accepted variance as one movement, each line once, and from any interruption onwards."""

from dataclasses import dataclass, field

from shared.inventory.stocktake import (
    Correction,
    Count,
    LineOutcome,
    Shortfall,
    Stocktake,
    StocktakeLine,
    StocktakeState,
    correction_of,
    figures,
    moved_on,
    require_stock_line,
    settled,
    verdict,
)
from shared.inventory.stocktakes import StocktakeDesk, read_session, stock_line
from shared.kernel.errors import Rejected


@dataclass
class Posting:
    """What became of a session's lines."""

    session: Stocktake
    settled: list[StocktakeLine] = field(default_factory=list)
    """Posted, superseded or left: now or before."""
    refused: list[Shortfall] = field(default_factory=list)
    """They would break promises to orders, and stay unposted until that is mended."""
    untouched: list[StocktakeLine] = field(default_factory=list)
    """Not counted, or not counted to the end."""


def post(desk: StocktakeDesk, session_id: str, *, actor: str, leave_refused: bool = False) -> Posting:
    """Post every accepted line, and finish the session once none is refused, or those are left on purpose.

    Called again, it goes on where it stopped: a session's line and the stock line change in one transaction.

    Raises:
        Rejected: `wrong_state`, `changed_since_approval`, `unknown_stock_line`.
    """
    session = _begun(desk, read_session(desk, session_id))
    posting = Posting(session)
    for line in desk.book.lines(session.id):
        _sort_in(posting, line, _settle(desk, session, line, actor, leave_refused=leave_refused))
    if not posting.refused and session.state is not StocktakeState.POSTED:
        posting.session = moved_on(session, StocktakeState.POSTED, posted_at=desk.clock(), posted_by=actor)
        desk.book.save(posting.session)
    return posting


def _begun(desk: StocktakeDesk, session: Stocktake) -> Stocktake:
    """The session, marked as being posted before anything is: from now on nobody cancels it."""
    if session.state is StocktakeState.POSTED:
        return session
    moved_on(session, StocktakeState.POSTED)
    if figures(desk.book.lines(session.id)) != session.approved_figures:
        hint = f"storebridge stocktake approve {session.id}"
        message = "a count came in after the approval"
        raise Rejected("changed_since_approval", message, field="state", hint=hint)
    if session.posting_since is not None:
        return session
    begun = session.model_copy(update={"posting_since": desk.clock(), "revision": session.revision + 1})
    desk.book.save(begun)
    return begun


def _sort_in(posting: Posting, line: StocktakeLine, became: StocktakeLine | Shortfall | None) -> None:
    if became is None:
        posting.untouched.append(line)
    elif isinstance(became, Shortfall):
        posting.refused.append(became)
    else:
        posting.settled.append(became)


def _settle(
    desk: StocktakeDesk, session: Stocktake, line: StocktakeLine, actor: str, *, leave_refused: bool
) -> StocktakeLine | Shortfall | None:
    """The line when it is done with; None where it is not to be posted at all."""
    deciding = verdict(line, session.tolerance).deciding
    if line.outcome is not None:
        return line
    if deciding is None or session.state is StocktakeState.POSTED:
        return None
    for attempt in desk.retrying():
        with attempt:
            current = desk.book.find_line(session.id, line.sku) or line
            return _try(desk, session, current, deciding, actor, leave_refused=leave_refused)
    raise AssertionError("unreachable: retrying ends with an answer or an error")


def _try(
    desk: StocktakeDesk, session: Stocktake, line: StocktakeLine, deciding: Count, actor: str, *, leave_refused: bool
) -> StocktakeLine | Shortfall:
    if line.outcome is not None:
        return line
    stock = stock_line(desk, line.sku, session.location)
    require_stock_line(line.sku, known=deciding.seq > 0, stock=stock)
    found = correction_of(session, line, deciding, stock, actor)
    if isinstance(found, Correction):
        done = settled(line, LineOutcome.POSTED, now=desk.clock(), actor=actor, units=found.on_hand)
        desk.book.post(session.id, done, found)
        return done
    if isinstance(found, Shortfall) and not leave_refused:
        return found
    outcome = LineOutcome.LEFT if isinstance(found, Shortfall) else found
    done = settled(line, outcome, now=desk.clock(), actor=actor)
    desk.book.record(session.id, done)
    return done
