"""Which of two accounts of an order or a customer is newer.

A storefront delivers late, twice and out of order, so an event is only a hint that something changed: what counts is
the version of the resource inside it.
"""

from enum import Enum, auto

from shared.kernel.model import Canonical


class Version(Canonical):
    """When the storefront says the resource changed, when the account of it was made, and what exactly it said."""

    updated_at: str
    """The storefront's own time of the change, as sortable text. One second fine on both platforms."""
    observed_at: str
    """When we fetched this account, or else its delivery was sent or came: the resource may have changed since it was
    made. Sortable text."""
    body_sha256: str
    fetched: bool = False
    """We asked the storefront ourselves, so this was the truth at `observed_at`."""

    def states_the_same(self, other: "Version") -> bool:
        """Whether both say the same of the resource, whenever each was observed: one body may be delivered twice at
        once, and two workers keep what each of them saw."""
        return self.body_sha256 == other.body_sha256 and self.updated_at == other.updated_at


class Comparison(Enum):
    NEWER = auto()
    SAME = auto()
    OLDER = auto()
    UNDECIDED = auto()
    """Two different accounts of the same second, and no telling which came last: ask the storefront."""


def compare(incoming: Version, stored: Version) -> Comparison:
    """Order `incoming` against what is `stored`.

    The delivery's trigger time decides nothing between two deliveries of one second: Shopify does not sign it, and
    WooCommerce does not send one. A fetched account is the storefront's answer at a time of our own clock, so it is
    newer than any account observed before it. One that is delivered later may have been made before.
    """
    if incoming.states_the_same(stored):
        return Comparison.SAME
    if incoming.updated_at != stored.updated_at:
        return Comparison.NEWER if incoming.updated_at > stored.updated_at else Comparison.OLDER
    if incoming.fetched and incoming.observed_at > stored.observed_at:
        return Comparison.NEWER
    if stored.fetched and (incoming.fetched or incoming.observed_at < stored.observed_at):
        return Comparison.OLDER
    return Comparison.UNDECIDED


def is_outdated(stored: Version, answer: Version) -> bool:
    """Whether the storefront's answer is newer than what is stored. It was asked after that was read: where the times
    do not tell, clocks differ, and the answer is what came last."""
    return compare(answer, stored) in (Comparison.NEWER, Comparison.UNDECIDED)


def counts_unasked(incoming: Version, stored: Version) -> bool:
    """Whether `incoming` counts of two undecided accounts, where nobody can be asked: the later observed one does, and
    the hash decides where even that is equal, so that every worker comes to the same end in whatever order it sees
    them."""
    return (incoming.observed_at, incoming.body_sha256) > (stored.observed_at, stored.body_sha256)
