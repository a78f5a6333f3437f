"""What a back office has that the settings speak of: read once for a rehearsal or an examination. Only reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.backoffices.documents import Identity, Product, Tax, Warehouse
from shared.backoffices.port import BackOffice

_SKUS_PER_QUESTION = 200


@dataclass
class Company:
    """One company. Products are asked for once each."""

    office: BackOffice
    identity: Identity
    warehouses: tuple[Warehouse, ...]
    taxes: tuple[Tax, ...]
    payment_methods: tuple[str, ...]
    _products: dict[str, Product | None] = field(default_factory=dict)

    def products(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """Those of the SKUs that are products there."""
        wanted = sorted(set(skus))
        fresh = [sku for sku in wanted if sku not in self._products]
        for start in range(0, len(fresh), _SKUS_PER_QUESTION):
            asked = fresh[start : start + _SKUS_PER_QUESTION]
            found = self.office.products(asked)
            self._products |= {sku: found.get(sku) for sku in asked}
        return {sku: product for sku in wanted if (product := self._products[sku]) is not None}


def company_of(office: BackOffice) -> Company:
    """Ask a back office what it has.

    Raises:
        Retry, Rejected: as the port.
    """
    return Company(
        office=office,
        identity=office.identify(),
        warehouses=office.warehouses(),
        taxes=office.taxes(),
        payment_methods=office.payment_methods(),
    )
