"""What we know of a person's stand in a back office: what each side showed last, and why it stopped where it did."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from shared.customers.maintenance import Base
from shared.kernel.identifiers import CustomerKey
from shared.kernel.model import Canonical
from shared.kernel.versions import Version
from shared.sync.backoffice.mirror import Stop

REFUSED = "customer_refused"
"""Code of a storefront that does not take a value: it is not tried again, and stays on the desk until it is mended."""


class PersonMirror(Canonical):
    """One person in one back office, as of the last look. No personal data: values are keyed digests."""

    leader: str
    """Key of the customer whom the person goes by, and of the party."""
    backoffice: str
    """Name in the settings."""
    revision: int = 0
    """Grows by one with every save."""
    party_id: str | None = None
    base: Base = Base()
    seen: dict[str, Version] = {}
    """By storefront side the account that we have seen there ourselves: an older one is no news."""
    looked_at: datetime | None = None
    stop: Stop | None = None

    @property
    def key(self) -> CustomerKey:
        return CustomerKey.parse(self.leader)


class PersonMirrors(Protocol):
    """Where the stands are kept. Every method raises `Retry` when the store is out of reach."""

    def find(self, leader: CustomerKey, backoffice: str) -> PersonMirror | None: ...

    def save(self, mirror: PersonMirror, before: PersonMirror | None) -> PersonMirror:
        """Keep it, and its stop on the error desk, all or nothing.

        Raises:
            Conflict: somebody else saved it meanwhile.
        """
        ...

    def of_person(self, leader: CustomerKey) -> Iterable[PersonMirror]:
        """Of every back office."""
        ...

    def stopped(self, shop: str) -> Iterable[PersonMirror]:
        """Persons whose leader is of this shop, and that have stopped."""
        ...

    def forget(self, leader: CustomerKey) -> int:
        """Remove all that is known of the person; returns how many stands there were."""
        ...
