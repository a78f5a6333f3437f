"""Keep a shop's webhooks in order: what there should be, what there is, and the difference.

Shops stop sending without a word: WooCommerce disables a webhook whose deliveries fail, Shopify removes it. One of ours
that is disabled, or that leads to where this deployment used to be, is made anew and then removed; one that is gone is
made; of several that do the same, the oldest stays. So two repairs at once may make doubles, and any later one
removes all but the one that everybody keeps. What others have at the shop, and what somebody paused, is left alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.kernel.errors import Rejected
from shared.kernel.model import Canonical
from shared.storefronts.port import Subscription, SubscriptionDesk, SubscriptionState


@dataclass(frozen=True)
class Endpoint:
    """Where one shop is to send some topics."""

    base_url: str
    """Of this deployment's webhooks: `https://hooks.example/prod`."""
    path: str
    """Under it: `/webhooks/aurora/orders`."""
    topics: Sequence[str]
    """In the shop's own words."""
    former_base_urls: Sequence[str] = ()

    @property
    def url(self) -> str:
        return _normal(self.base_url) + self.path

    def is_at(self, url: str) -> bool:
        return _normal(url) == _normal(self.url)

    def owns(self, url: str) -> bool:
        """Whether a URL is this deployment's, be it of now or of before. Another deployment's on the same shop is
        not: they would undo each other's for ever."""
        bases = (f"{_normal(base)}/webhooks/" for base in (self.base_url, *self.former_base_urls))
        return _normal(url).startswith(tuple(bases))


class Decision(Canonical):
    """What is to be done, by topic."""

    kept: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    """Somebody at the shop stopped these: a person has to ask that person."""
    remove: tuple[Subscription, ...] = ()
    """Once what replaces them is there."""


def decide(endpoint: Endpoint, found: Iterable[Subscription]) -> Decision:
    """What has to change at a shop that has these."""
    ours = sorted((each for each in found if endpoint.owns(each.url)), key=_age)
    kept, create, paused, remove = [], [], [], list[Subscription]()
    for topic in endpoint.topics:
        mine = [each for each in ours if each.topic == topic]
        here = [each for each in mine if endpoint.is_at(each.url)]
        active = [each for each in here if each.state is SubscriptionState.ACTIVE]
        stopped = [each for each in here if each.state is SubscriptionState.PAUSED]
        if active:
            kept.append(topic)
        elif stopped:
            paused.append(topic)
        else:
            create.append(topic)
        remove += [each for each in mine if each not in active[:1] and each not in stopped]
    return Decision(kept=tuple(kept), create=tuple(create), paused=tuple(paused), remove=tuple(remove))


class Repaired(Canonical):
    """What was done, by topic."""

    kept: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    removed: int = 0
    paused: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """The shop did not take these."""
    why: str = ""
    """The code of the first refusal."""

    @property
    def lost(self) -> tuple[str, ...]:
        """Topics that the shop does not send after all this."""
        return self.paused + self.refused

    def __add__(self, other: "Repaired") -> "Repaired":
        """What was done at two endpoints of one shop."""
        return Repaired(
            kept=self.kept + other.kept,
            created=self.created + other.created,
            removed=self.removed + other.removed,
            paused=self.paused + other.paused,
            refused=self.refused + other.refused,
            why=self.why or other.why,
        )


def repair(desk: SubscriptionDesk, endpoint: Endpoint, secret: Callable[[], str]) -> Repaired:
    """Look at the shop's webhooks, and put them in order. `secret` is asked for when one has to be made.

    May be stopped anywhere, and repeated: new ones are made before old ones are removed.

    Raises:
        Retry: the shop is out of reach; the next run looks at what came of this one.
        Rejected: it does not let us look, or remove; or there is no secret.
    """
    decision = decide(endpoint, desk.list())
    created: list[str] = []
    refusals: dict[str, str] = {}
    key = secret() if decision.create else ""
    for topic in decision.create:
        try:
            desk.create(topic, endpoint.url, key)
        except Rejected as error:
            refusals[topic] = error.code
        else:
            created.append(topic)
    doomed = [each for each in decision.remove if each.topic not in refusals]
    for each in doomed:
        desk.delete(each.id)
    return Repaired(
        kept=decision.kept,
        created=tuple(created),
        removed=len(doomed),
        paused=decision.paused,
        refused=tuple(refusals),
        why=next(iter(refusals.values()), ""),
    )


def _age(subscription: Subscription) -> tuple[int, str]:
    """Shops number theirs in turn, some behind a prefix: a shorter number is an older one."""
    return len(subscription.id), subscription.id


_DEFAULT_PORTS = {"http": 80, "https": 443}


def _normal(url: str) -> str:
    """Without what makes no difference: the host's case, a default port, a slash at the end."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    where = f":{port}" if port and port != _DEFAULT_PORTS.get(parts.scheme) else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.hostname or ''}{where}{parts.path.rstrip('/')}{query}"
