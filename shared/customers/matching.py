"""Which customers may be one person. Pure: values in, a verdict out, the same whichever of two customers comes first.

What two customers share is a set of marks; what they are called is compared here. A name alone is no sign: half of
all Müllers would be proposed to the other half.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum

from shared.customers.marks import Mark, MarkKind, folded
from shared.customers.merges import MergeReason
from shared.customers.models import Profile
from shared.customers.record import CustomerRecord, VerificationState
from shared.kernel.identifiers import CustomerKey
from shared.kernel.model import Canonical


class ProposalState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    """They are two people; the same two are not proposed again."""


class Proposal(Canonical):
    """Two customers that may be one person, for somebody to decide."""

    id: str
    """The same for the same two customers, whichever comes first."""
    customers: tuple[str, str]
    """Keys, in their order."""
    reasons: tuple[MergeReason, ...]
    state: ProposalState = ProposalState.OPEN
    found_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def score(self) -> int:
        return sum(reason.weight for reason in self.reasons)


def proposal_id(a: CustomerKey, b: CustomerKey) -> str:
    """Sixteen hexadecimal digits, to be typed by people."""
    first, second = sorted((str(a), str(b)))
    return hashlib.sha256(f"{first}\n{second}".encode()).hexdigest()[:16]


def propose(a: CustomerKey, b: CustomerKey, reasons: tuple[MergeReason, ...], at: datetime) -> Proposal:
    first, second = sorted((str(a), str(b)))
    return Proposal(id=proposal_id(a, b), customers=(first, second), reasons=reasons, found_at=at)


# ---- the verdict ----


@dataclass(frozen=True, slots=True)
class Side:
    """One of two customers, as far as it matters here."""

    record: CustomerRecord
    profile: Profile
    marks: frozenset[Mark]
    """Those that it bears, without those that so many bear that they are no sign of one person."""


class Decision(StrEnum):
    JOIN = "join"
    PROPOSE = "propose"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    decision: Decision
    reasons: tuple[MergeReason, ...] = ()
    """The weightiest first. Those that speak against it have a negative weight."""

    @property
    def score(self) -> int:
        return sum(reason.weight for reason in self.reasons)


WEIGHTS = {
    "verified_email": 100,
    "same_email": 60,
    "same_mailbox": 45,
    "same_phone": 40,
    "same_address": 25,
    "similar_name": 20,
    "other_name": -10,
    "other_verified_email": -15,
}
LEAST_SCORE = 20
"""A proposal that is worth less is not made."""

_ALONE = frozenset({"same_email", "same_mailbox", "same_phone", "verified_email"})
"""Each of them is enough for a proposal. An address is not: whole families live there, and have one last name."""


def is_matched(record: CustomerRecord) -> bool:
    """Whether this customer may be joined with others unless a person says so."""
    return record.erased_at is None and record.deleted_at is None


def verdict_of(a: Side, b: Side, automatically: Collection[str]) -> Verdict:
    """What two customers are to each other. `automatically`: what both shops let join without a person's yes."""
    if a.record.leader == b.record.leader or not (is_matched(a.record) and is_matched(b.record)):
        return Verdict(Decision.NOTHING)
    likeness = name_likeness(a.profile, b.profile)
    reasons = tuple(_reasons(a, b, likeness))
    kinds = {reason.kind for reason in reasons}
    if "verified_email" in kinds and "verified_email" in automatically:
        return Verdict(Decision.JOIN, reasons)
    if "phone_and_name" in automatically and _is_phone_and_name(a, b, kinds, likeness):
        return Verdict(Decision.JOIN, reasons)
    is_worth_it = sum(reason.weight for reason in reasons) >= LEAST_SCORE
    if is_worth_it and (kinds & _ALONE or {"same_address", "similar_name"} <= kinds):
        return Verdict(Decision.PROPOSE, reasons)
    return Verdict(Decision.NOTHING)


def _is_phone_and_name(a: Side, b: Side, kinds: set[str], likeness: "Likeness") -> bool:
    """The same telephone and the same name; nobody whom an owner or the staff refused is joined on that ground."""
    is_refused = VerificationState.REJECTED in (a.record.verification.state, b.record.verification.state)
    is_contradicted = "other_verified_email" in kinds
    return "same_phone" in kinds and likeness is Likeness.EQUAL and not is_refused and not is_contradicted


def _reasons(a: Side, b: Side, likeness: "Likeness") -> Iterator[MergeReason]:
    kinds = (*_shared(a, b), *_of_names(likeness), *_against(a, b))
    for kind in sorted(kinds, key=lambda kind: (-WEIGHTS[kind], kind)):
        yield MergeReason(kind=kind, weight=WEIGHTS[kind])


def _shared(a: Side, b: Side) -> Iterator[str]:
    shared = a.marks & b.marks
    kinds = {mark.kind for mark in shared}
    emails = {mark.digest for mark in shared if mark.kind is MarkKind.EMAIL}
    if _proven(a) is not None and _proven(a) == _proven(b) and _proven(a) in emails:
        yield "verified_email"
    elif MarkKind.EMAIL in kinds:
        yield "same_email"
    elif MarkKind.MAILBOX in kinds:
        yield "same_mailbox"
    if MarkKind.PHONE in kinds:
        yield "same_phone"
    if MarkKind.ADDRESS in kinds:
        yield "same_address"


def _of_names(likeness: "Likeness") -> Iterator[str]:
    if likeness in (Likeness.EQUAL, Likeness.SIMILAR):
        yield "similar_name"
    elif likeness is Likeness.DIFFERENT:
        yield "other_name"


def _against(a: Side, b: Side) -> Iterator[str]:
    """Two proven addresses of different mailboxes: two people, or one with two addresses."""
    is_one_mailbox = any(mark.kind in (MarkKind.EMAIL, MarkKind.MAILBOX) for mark in a.marks & b.marks)
    if _proven(a) and _proven(b) and _proven(a) != _proven(b) and not is_one_mailbox:
        yield "other_verified_email"


def _proven(side: Side) -> str | None:
    """The digest of the address that is proven to be the customer's."""
    verification = side.record.verification
    return verification.mark if verification.state is VerificationState.VERIFIED else None


# ---- names ----


class Likeness(StrEnum):
    EQUAL = "equal"
    """The same words in any order, or the same last name and the initials of the same first names."""
    SIMILAR = "similar"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One of them has no name, or they are written in different kinds of script."""


_SIMILAR = 85
"""Hundredths of what difflib takes for the same."""
_SHORTEST = 4
"""Letters of a word that may differ in one and still be a spelling of the same."""


def name_likeness(a: Profile, b: Profile) -> Likeness:
    """How alike two people are called, in whatever order and with whatever accents they write it."""
    ours, theirs = _words(a), _words(b)
    if not ours or not theirs:
        return Likeness.UNKNOWN
    if sorted(ours) == sorted(theirs) or _together(ours) & _together(theirs):
        return Likeness.EQUAL
    if not (_are_spelled(ours) and _are_spelled(theirs)):
        return Likeness.UNKNOWN if _are_spelled(ours) or _are_spelled(theirs) else Likeness.DIFFERENT
    if _are_initials(ours, theirs):
        return Likeness.EQUAL
    return Likeness.SIMILAR if _are_spellings(ours, theirs) else Likeness.DIFFERENT


def _words(profile: Profile) -> tuple[str, ...]:
    return tuple(folded(profile.name or "").split())


def _together(words: tuple[str, ...]) -> set[str]:
    """Without spaces, from either end: one writes `Jean Luc`, another `Jean-Luc`; one the last name first, another
    last."""
    return {"".join(words), "".join(reversed(words))}


def _are_spelled(words: tuple[str, ...]) -> bool:
    """Whether the words are of letters that stand for sounds.

    Of Han characters, kana and Hangul one says nothing of the next: such a name is the same or another, and how it is
    spelled in Latin letters is not told by it.
    """
    return not any(first <= character <= last for word in words for character in word for first, last in _UNSPELLED)


_UNSPELLED = (("\u1100", "\u11ff"), ("\u2e80", "\u9fff"), ("\uac00", "\ud7ff"), ("\U00020000", "\U0003ffff"))
"""Hangul's parts (folding takes syllables apart), kana and Han characters, Hangul, the rarer Han characters."""


def _are_initials(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """`j smith` and `john smith`, `smith j r` and `john ronald smith`: one whole word in common at least."""
    if len(ours) != len(theirs):
        return False
    common = set(ours) & set(theirs)
    rests = [sorted(word for word in words if word not in common) for words in (ours, theirs)]
    if not any(len(word) > 1 for word in common) or len(rests[0]) != len(rests[1]):
        return False
    return all(_is_initial(one, other) for one, other in zip(*rests, strict=True))


def _is_initial(one: str, other: str) -> bool:
    return min(len(one), len(other)) == 1 and one[0] == other[0]


def _are_spellings(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Each word of the shorter name has one of its own in the longer one that is a spelling of it."""
    shorter, longer = sorted((tuple(sorted(ours)), tuple(sorted(theirs))), key=lambda words: (len(words), words))
    if len(shorter) == 1 and len(longer) > 1:
        return False
    left = list(longer)
    for word in sorted(shorter, key=lambda word: (word not in longer, word)):
        found = next((other for other in left if _is_spelling(word, other)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is_spelling(one: str, other: str) -> bool:
    if one == other or _is_initial(one, other):
        return True
    if min(len(one), len(other)) < _SHORTEST:
        return False
    first, second = sorted((one, other))  # difflib finds more the one way round than the other
    return SequenceMatcher(None, first, second, autojunk=False).ratio() * 100 >= _SIMILAR
