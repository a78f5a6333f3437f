"""The back office in memory as a world of the contract suite."""

from collections.abc import Mapping, Sequence
from datetime import date

from infra.fakes.backoffice import MemoryBackOffice
from shared.backoffices.documents import CustomerCard
from shared.backoffices.port import BackOffice
from shared.kernel.clock import utc_now
from shared.orders.models import Parcel
from tests.contract.backoffices.world import Killed


class MemoryWorld:
    warehouse = "WH"
    vat21 = "VAT 21"
    vat9 = "VAT 9"
    method = "Bank"
    accounts = ("1200", "6200", "1300")
    journal = "General"

    def __init__(self) -> None:
        self._office = MemoryBackOffice(utc_now)
        self.office: BackOffice = self._office
        for sku in ("MUG", "CAP", "LAMP"):
            self._office.add_product(sku, 0)
        for sku in ("SHIPPING", "FEE", "ROUNDING"):
            self._office.add_product(sku)

    def fresh(self) -> BackOffice:
        self._office.interrupt = lambda _method, _when: None
        return self._office

    def killing(self, at: int, *, after: bool) -> BackOffice:
        moment = "after" if after else "before"
        seen = -1

        def interrupt(_method: str, when: str) -> None:
            nonlocal seen
            seen += when == "before"
            if seen == at and when == moment:
                raise Killed

        self._office.interrupt = interrupt
        return self._office

    def put_on_shelf(self, sku: str, units: int) -> None:
        self._office.on_hand[sku, "WH"] = units
        self._office.add_product(sku, 0)

    def pick(self, key: str) -> None:
        self._office.pick(key)

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        sale = self._office.find_sale(key)
        assert sale is not None
        by_key = {line.key: units[line.sku] for line in sale.lines if line.sku in units} if units else None
        self._office.send_off(key, by_key, tuple(parcels))

    def deliver(self, key: str) -> None:
        self._office.deliver(key)

    def edit_customer(self, key: str, *, name: str, email: str) -> None:
        self._office.edit_customer(key, name=name, email=email)

    def deactivate_customer(self, key: str) -> None:
        """There is no such thing."""

    def cities(self, key: str) -> tuple[str | None, str | None]:
        customer = self._office.order(key).customer
        billing, shipping = customer.billing, customer.shipping
        return billing.city if billing else None, shipping.city if shipping else None

    def traces(self, word: str) -> list[str]:
        kept = {name: repr(value) for name, value in vars(self._office).items()}
        return [name for name, text in kept.items() if word in text]

    def held(self, card: CustomerCard) -> CustomerCard:
        return card

    def count_documents(self, key: str) -> Mapping[str, int]:
        sales = [sale for sale in self._office.sales() if sale.key.startswith(key)]
        return {
            "sales": len(sales),
            "invoices": sum(len(sale.invoices) for sale in sales),
            "credits": sum(one.startswith(key) for one in self._office.credits),
            "returns": sum(one.startswith(key) for one in self._office.returns),
            "payments": sum(one.startswith(key) for one in self._office.payments),
        }

    def count_journals(self, key: str) -> int:
        return sum(one.startswith(key) for one in self._office.journals)

    def close_books(self, until: date) -> bool:
        self._office.closed_until = until
        return True
