"""A history with the merchant's back office in it: every order one sale there, every consignment shown once at the
shop, every event on the bus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.backoffices.documents import SaleState
from shared.kernel.errors import StorebridgeError
from shared.sync.backoffice.services import ServiceCatalogue
from shared.wiring import backoffice_connection, storefront_push
from tests.simulation.cloud.installation import swapped
from tests.simulation.history import SKUS, History
from tests.simulation.invariants import require
from tests.simulation.neighbours import FarOffice, ShopFront, office
from tests.simulation.shop import SHOP

OFFICE = "erp"


class BooksHistory(History):
    NAME = "books"
    FUNCTIONS = History.FUNCTIONS | {"order-relay", "backoffice-push", "backoffice-pull", "storefront-push"}
    ALWAYS_API = True

    def _settings(self, **words: bool) -> dict[str, object]:
        made = super()._settings(**words)
        made["backoffices"] = {
            OFFICE: {
                "vendor": "odoo",
                "address": "https://erp.example",
                "database": "main",
                "warehouses": {"main": "WH"},
                "payment_methods": {"*": "Bank"},
                "products": {"gift_card": "FEE", "adjustment": "FEE"},
                "complete_when": "shipped",
            }
        }
        made["shops"][SHOP]["backoffice"] = OFFICE
        return made

    @contextmanager
    def _neighbours(self) -> Iterator[None]:
        self.office = office(self.plan.stock | dict.fromkeys(SKUS, 50))
        self.front = ShopFront(self.cloud, self.shop)
        far = FarOffice(self.cloud, self.office)
        joined = backoffice_connection._Connection(far, ServiceCatalogue(far, self.cloud.time.now))
        with (
            super()._neighbours(),
            swapped(backoffice_connection, _connection=lambda _name, _connected: joined),
            swapped(storefront_push, _fulfilment=lambda _name, _shop: self.front),
        ):
            yield

    def _acts(self) -> tuple[Callable[[], None], ...]:
        return (*super()._acts(), self._send_off, self._send_off, self._look)

    def _send_off(self) -> None:
        sales = [sale for sale in self.office.sales() if sale.state is SaleState.CONFIRMED]
        if not sales:
            return
        sale = self.dice.choice(sales)
        self._told(f"{sale.key}: the warehouse sends off what is open")
        try:
            self.office.send_off(sale.key)
        except StorebridgeError:
            return

    def _look(self) -> None:
        self._told("a look at the back office")
        self.cloud.act("backoffice-pull", lambda: self.installation.handlers["backoffice-pull"]({}, self._context()))

    def _calm_down(self) -> None:
        super()._calm_down()
        for _ in range(2):
            self._schedule("backoffice-pull", after=600.0)
        for sale in self.office.sales():
            if sale.state is SaleState.CONFIRMED:
                self._try_to_send(sale.key)
        for _ in range(3):
            self._schedule("backoffice-pull", after=600.0)
        self._schedule("order-repair")

    def _try_to_send(self, key: str) -> None:
        try:
            self.office.send_off(key)
        except StorebridgeError:
            return

    def _check(self) -> None:
        super()._check()
        self._rest().events_are_those_of_the_commits(self.cloud.bus)
        self._sales_are_the_orders()
        sales = {sale.key: sale for sale in self.office.sales()}
        for order_id, shown in self.front.shown.items():
            sent = len(sales[f"{SHOP}/{order_id}"].consignments)
            require(len(shown) <= sent, "I2", f"{order_id}: {len(shown)} shipments at the shop, {sent} were sent")

    def _sales_are_the_orders(self) -> None:
        sales = {sale.key: sale for sale in self.office.sales()}
        for key, record in self._rest().records.items():
            sale = sales.get(key)
            if record.review.value == "released":
                require(sale is not None, "I7", f"{key}: released, and no sale")
            if sale is not None and any(sale.shipped.values()):
                require(record.dispatches, "I7", f"{key}: goods left, and its record knows of none")
            if record.review.value == "cancelled":
                gone = sale is None or sale.state is SaleState.CANCELLED or any(sale.shipped.values())
                require(gone, "I7", f"{key}: cancelled, and its sale goes on")
