"""What staff do with the cases of the exceptions queue. Whatever they do goes on the audit trail in the same commit.

Nothing here moves money at a provider: a refund is proposed to whoever may make it there, a write-off is booked by the
ledger from the case, and a re-link is what the next reconciliation starts from.

Each act may be repeated when its outcome is unknown: what was done already is not done again.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import tenacity

from shared.finance.audit import next_record
from shared.finance.cases import Case, CaseState, Comment, Proposal, Resolution
from shared.finance.models import Subject
from shared.finance.ports import AuditTrail, Cases, FinanceFacts
from shared.finance.rules import FinanceRules
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey

MOST_TEXT: Final = 2_000
MOST_NAME: Final = 120
MOST_COMMENTS: Final = 200
_PAYOUT: Final = "payout:"
_MOVES_MONEY: Final = frozenset({Resolution.WRITE_OFF, Resolution.PROPOSE_REFUND})
_LIKE: Final = str.maketrans(
    {
        alike: letter
        for letter, look_alikes in {
            "a": "\u0430\u0251\u03b1",
            "b": "\u0432\u03b2",
            "c": "\u0441\u03f2",
            "d": "\u0501\u0111",
            "e": "\u0435\u03b5",
            "g": "\u0261",
            "h": "\u043d\u04bb\u03b7\u0127",
            "j": "\u0458\u03f3",
            "k": "\u043a\u03ba",
            "l": "1i|\u0131\u0142\u0456\u04cf\u03b9",
            "m": "\u043c\u03bc",
            "o": "0\u00f8\u043e\u03bf\u03c3\u0585",
            "p": "\u0440\u03c1",
            "q": "\u051b",
            "s": "\u0455",
            "t": "\u0442\u03c4",
            "v": "\u0475\u03bd",
            "w": "\u051d",
            "x": "\u0445\u03c7",
            "y": "\u0443\u04af\u03b3\u03c5",
            "z": "\u03b6",
        }.items()
        for alike in look_alikes
    }
)
"""Cyrillic, Greek and other letters that look like a Latin one, small or capital; a few of many (Unicode UTS 39)."""
_UNSEEN: Final = frozenset(
    chr(code)
    for first, last in (
        (0x0300, 0x036F),  # accents
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0xFE00, 0xFE0F),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
"""Accents, and what shows nothing although it counts as a letter or mark."""


class ReviewBook(FinanceFacts, Cases, AuditTrail, Protocol):
    """Cases, the trail, and what cases may be linked with."""


@dataclass(frozen=True)
class ReviewDesk:
    """Everything that the use cases work with."""

    book: ReviewBook
    rules: FinanceRules
    clock: Clock
    retrying: Callable[[], tenacity.Retrying]
    """How often to read and decide again after a conflict."""


@dataclass(frozen=True)
class Decision:
    """How somebody wants to resolve a case."""

    resolution: Resolution
    reason: str
    """Stays on the trail for ever: nothing about buyers."""
    amount: int | None = None
    """Of a write-off or a refund, in the minor unit of the discrepancy's currency, signed as its difference. None: the
    whole difference."""
    link: str | None = None
    """Of a re-link: an order's key, `payout:account/id`, or `""` for "belongs to nothing"."""


def assign(case_id: str, owner: str | None, desk: ReviewDesk, *, actor: str) -> Case:
    """Give a case to somebody, or to nobody.

    Raises:
        Rejected: `unknown_case`, `case_over`, `invalid_name`.
        Conflict: the case or the trail kept changing, as often as `retrying` tries.
        Retry: the store is out of reach.
    """
    by, owner = _name(actor, "actor"), _name(owner, "owner") if owner is not None else None
    return _working(case_id, desk, by, lambda case: _assigned(case, owner))


def comment(case_id: str, text: str, desk: ReviewDesk, *, actor: str) -> Case:
    """Note something on a case, also on one that is over. The trail says who and when, and not what: the words stay
    with the case, where they can be taken away. The same words by the same person twice in a row are one comment.

    Raises:
        Rejected: `unknown_case`, `text_missing`, `text_too_long`, `too_many_comments`, `invalid_name`.
        Conflict, Retry: as above.
    """
    by, words = _name(actor, "actor"), _text(text, "comment")
    return _working(case_id, desk, by, lambda case: _commented(case, by, words, desk))


def resolve(case_id: str, decision: Decision, desk: ReviewDesk, *, actor: str) -> Case:
    """Resolve an open case, or propose to, where the amount needs a second person: see `rules.approval_limits`.

    Raises:
        Rejected: `unknown_case`; `case_over`; `already_proposed`; `text_missing`, `text_too_long` for the reason;
            `invalid_amount`, `nothing_to_book`, `amount_not_wanted`; `link_missing`, `link_not_wanted`,
            `not_linkable`, `invalid_link`, `invalid_order_key`, `unknown_order`, `unknown_payout`; `invalid_name`.
        Conflict, Retry: as above.
    """
    by, reason = _name(actor, "actor"), _text(decision.reason, "reason")
    return _working(case_id, desk, by, lambda case: _resolved(case, decision, reason, by, desk))


def approve(case_id: str, desk: ReviewDesk, *, actor: str, seen: int | None = None) -> Case:
    """Agree to what somebody else proposed. `seen`: the case's revision that was read before; what was proposed since
    then is not agreed to.

    Raises:
        Rejected: `unknown_case`, `not_proposed`, `self_approval`, `invalid_name`, `case_changed`.
        Conflict, Retry: as above.
    """
    by = _name(actor, "actor")
    return _working(case_id, desk, by, lambda case: _approved(case, by, desk, seen))


def refuse(case_id: str, reason: str, desk: ReviewDesk, *, actor: str) -> Case:
    """Do not agree to a proposal: the case is open again. Whoever made it may also take it back this way.

    Raises:
        Rejected: `unknown_case`, `not_proposed`, `text_missing`, `text_too_long`, `invalid_name`.
        Conflict, Retry: as above.
    """
    by, words = _name(actor, "actor"), _text(reason, "reason")
    return _working(case_id, desk, by, lambda case: _refused(case, by, words, desk))


def reopen_case(case_id: str, reason: str, desk: ReviewDesk, *, actor: str) -> Case:
    """Open a case that was resolved. What it booked is taken back by the ledger; a link stays until another is set.

    Raises:
        Rejected: `unknown_case`, `case_open`, `case_cleared` (nothing is left of it), `text_missing`,
            `text_too_long`, `invalid_name`.
        Conflict, Retry: as above.
    """
    by, words = _name(actor, "actor"), _text(reason, "reason")
    return _working(case_id, desk, by, lambda case: _reopened(case, by, words, desk))


# ---- what becomes of a case ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Act:
    """What is written, and what the trail says of it."""

    action: str
    case: Case
    detail: Mapping[str, str]
    link: tuple[str, str] | None = None


def _assigned(case: Case, owner: str | None) -> _Act | None:
    _require_open(case)
    if case.owner == owner:
        return None
    return _Act("case.assigned", _revised(case, owner=owner), {"owner": owner or ""})


def _commented(case: Case, by: str, words: str, desk: ReviewDesk) -> _Act | None:
    last = case.comments[-1] if case.comments else None
    if last is not None and (last.by, last.text) == (by, words):
        return None
    if len(case.comments) >= MOST_COMMENTS:
        raise Rejected("too_many_comments", f"a case takes {MOST_COMMENTS} comments", field="comment")
    return _Act("case.commented", _noted(case, by, words, desk), {})


def _resolved(case: Case, decision: Decision, reason: str, by: str, desk: ReviewDesk) -> _Act | None:
    if _is_done(case, decision, reason, by):
        return None
    _require_open(case)
    if case.state is CaseState.PROPOSED:
        raise Rejected(
            "already_proposed",
            "somebody has proposed how to resolve the case",
            field="case",
            hint="approve the proposal, or refuse it first",
        )
    amount = _amount(case, decision)
    link = _link(case, decision, desk)
    proposal = Proposal(
        resolution=decision.resolution, reason=reason, amount=amount, link=decision.link, by=by, at=desk.clock()
    )
    if amount is not None and abs(amount) >= desk.rules.approval_limits.get(case.discrepancy.currency, 0):
        proposed = _revised(case, state=CaseState.PROPOSED, proposal=proposal)
        return _Act("case.proposed", proposed, _told(proposed))
    resolved = _revised(case, state=CaseState.RESOLVED, proposal=proposal, closed_at=desk.clock())
    return _Act("case.resolved", resolved, _told(resolved), link)


def _approved(case: Case, by: str, desk: ReviewDesk, seen: int | None) -> _Act | None:
    if case.state is CaseState.RESOLVED and case.approved_by is not None and _same_person(case.approved_by, by):
        return None
    proposal = _proposal_of(case)
    if _same_person(proposal.by, by):
        raise Rejected("self_approval", "nobody approves what they proposed themselves", field="actor")
    if seen is not None and case.revision != seen:
        message = f"the case is at revision {case.revision}, and {seen} was read"
        raise Rejected("case_changed", message, field="seen", hint="read the case again, and then decide")
    approved = _revised(case, state=CaseState.RESOLVED, approved_by=by, closed_at=desk.clock())
    return _Act("case.approved", approved, _told(approved) | {"proposed_by": proposal.by})


def _refused(case: Case, by: str, words: str, desk: ReviewDesk) -> _Act | None:
    last = case.comments[-1] if case.comments else None
    if case.state is CaseState.OPEN and last is not None and (last.by, last.text) == (by, words):
        return None
    proposal = _proposal_of(case)
    refused = _noted(case, by, words, desk, state=CaseState.OPEN, proposal=None)
    return _Act("case.refused", refused, _told(case) | {"reason": words, "proposed_by": proposal.by})


def _reopened(case: Case, by: str, words: str, desk: ReviewDesk) -> _Act | None:
    last = case.comments[-1] if case.comments else None
    if case.is_open:
        if last is not None and (last.by, last.text) == (by, words):
            return None
        raise Rejected("case_open", "the case is open", field="case")
    if case.state is CaseState.CLEARED:
        raise Rejected(
            "case_cleared",
            "what the case was about has gone",
            field="case",
            hint="it opens by itself when the reconciliation finds it again",
        )
    again: dict[str, Any] = {"state": CaseState.OPEN, "proposal": None, "approved_by": None, "closed_at": None}
    return _Act("case.reopened", _noted(case, by, words, desk, **again), _told(case) | {"reason": words})


# ---- what may be decided ---------------------------------------------------------------------------------------------


def _amount(case: Case, decision: Decision) -> int | None:
    if decision.resolution not in _MOVES_MONEY:
        if decision.amount is not None:
            raise Rejected("amount_not_wanted", f"{decision.resolution} has no amount", field="amount")
        return None
    difference = case.discrepancy.difference
    if not difference:
        raise Rejected("nothing_to_book", "the two sides do not differ in their amount", field="amount")
    amount = difference if decision.amount is None else decision.amount
    if amount * difference <= 0 or abs(amount) > abs(difference):
        raise Rejected(
            "invalid_amount",
            f"{amount} is not a part of the difference of {difference} minor units of {case.discrepancy.currency}",
            field="amount",
            hint="give it the sign of the difference, and no more than that",
        )
    return amount


def _link(case: Case, decision: Decision, desk: ReviewDesk) -> tuple[str, str] | None:
    if decision.resolution is not Resolution.RELINK:
        if decision.link is not None:
            raise Rejected("link_not_wanted", f"{decision.resolution} has no link", field="link")
        return None
    if decision.link is None:
        raise Rejected(
            "link_missing", "say what it belongs to", field="link", hint='an order, a payout, or "" for nothing'
        )
    subject = case.discrepancy.subject
    if subject.subject not in (Subject.LINE, Subject.PAYMENT, Subject.BANK):
        raise Rejected(
            "not_linkable",
            f"{subject.subject}s are not linked: link what belongs to them",
            field="link",
            hint="re-link the line, the payment or the bank line",
        )
    if decision.link:
        _require_there(decision.link, desk, payout=subject.subject is Subject.BANK)
    return subject.id, decision.link


def _require_there(link: str, desk: ReviewDesk, *, payout: bool) -> None:
    """A bank line belongs to a payout, anything else to an order."""
    if link.startswith(_PAYOUT) is not payout:
        wanted = f"{_PAYOUT}ACCOUNT/ID" if payout else "SHOP/ORDER"
        raise Rejected("invalid_link", "it cannot belong to that", field="link", hint=f"write {wanted}")
    if payout:
        account, _, payout_id = link.removeprefix(_PAYOUT).partition("/")
        if not payout_id or desk.book.find_payout(account, payout_id) is None:
            raise Rejected("unknown_payout", "there is no such payout", field="link")
        return
    key = OrderKey.parse(link)
    if key not in desk.book.find_orders([key]):
        raise Rejected("unknown_order", f"there is no order {key}", field="link")


def _is_done(case: Case, decision: Decision, reason: str, by: str) -> bool:
    """Whether exactly this was decided already: an act whose outcome was unknown is repeated."""
    proposal = case.proposal
    if proposal is None or case.state is CaseState.CLEARED or not _same_person(proposal.by, by):
        return False
    amount = case.discrepancy.difference if decision.amount is None else decision.amount
    same = (proposal.resolution, proposal.reason, proposal.link) == (decision.resolution, reason, decision.link)
    return same and proposal.amount in (None, amount)


def _require_open(case: Case) -> None:
    if not case.is_open:
        raise Rejected("case_over", "the case is over", field="case", hint="reopen it first")


def _proposal_of(case: Case) -> Proposal:
    if case.state is not CaseState.PROPOSED or case.proposal is None:
        raise Rejected("not_proposed", "nothing is proposed for the case", field="case")
    return case.proposal


# ---- how it is written -----------------------------------------------------------------------------------------------


def _working(case_id: str, desk: ReviewDesk, by: str, decide: Callable[[Case], _Act | None]) -> Case:
    return desk.retrying()(_work, case_id, desk, by, decide)


def _work(case_id: str, desk: ReviewDesk, by: str, decide: Callable[[Case], _Act | None]) -> Case:
    known = desk.book.find_case(case_id)
    if known is None:
        raise Rejected("unknown_case", f"there is no case {case_id[:80]!r}", field="case")
    act = decide(known)
    if act is None:
        return known
    audit = next_record(desk.book.last_record(), desk.clock(), by, act.action, known.id, act.detail)
    desk.book.commit_case(act.case, replaces=known.revision, audit=audit, link=act.link)
    return act.case


def _revised(case: Case, **changes: Any) -> Case:
    return case.model_copy(update={"revision": case.revision + 1, **changes})


def _noted(case: Case, by: str, words: str, desk: ReviewDesk, **changes: Any) -> Case:
    return _revised(case, comments=(*case.comments, Comment(at=desk.clock(), by=by, text=words)), **changes)


def _told(case: Case) -> dict[str, str]:
    """What the trail says of a decision: its figures and reason."""
    told = {
        "kind": case.discrepancy.kind.value,
        "currency": case.discrepancy.currency,
        "difference": str(case.discrepancy.difference),
    }
    if case.proposal is None:
        return told
    told |= {"resolution": case.proposal.resolution.value, "reason": case.proposal.reason}
    told |= {"amount": str(case.proposal.amount)} if case.proposal.amount is not None else {}
    return told | ({"link": case.proposal.link} if case.proposal.link is not None else {})


def _name(name: str, field: str) -> str:
    """A person's name as it is kept: one person writes it in one way."""
    kept = " ".join(unicodedata.normalize("NFKC", name).split())
    if not kept or len(kept) > MOST_NAME or not kept.isprintable():
        raise Rejected("invalid_name", f"a name has 1 to {MOST_NAME} characters that can be printed", field=field)
    return kept


def _same_person(one: str, other: str) -> bool:
    """Whether two names are one to whoever reads them. Two people of look-alike names cannot approve for each other."""
    return _looks(one) == _looks(other)


def _looks(name: str) -> str:
    """What is left of a name when it is only looked at: without case, accents, spaces and signs, and whatever does not
    show. Folding may need folding again: it is repeated until nothing changes."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LIKE)
    looks = "".join(letter for letter in plain if unicodedata.category(letter)[0] in "LMN" and letter not in _UNSEEN)
    looks = looks.replace("rn", "m").replace("vv", "w")
    return looks if looks == name else _looks(looks)


def _text(text: str, field: str) -> str:
    kept = text.strip()
    if not kept:
        raise Rejected("text_missing", "say why" if field == "reason" else "there is nothing to note", field=field)
    if len(kept) > MOST_TEXT:
        raise Rejected("text_too_long", f"it has more than {MOST_TEXT} characters", field=field)
    return kept
