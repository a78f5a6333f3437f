"""What the people of the example company do in their Tryton, over RPC: count, ship, keep the catalogue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from infra.tryton import company
from shared.backoffices.tryton.client import TrytonApi
from shared.kernel.clock import utc_now
from shared.orders.models import Parcel

SHIPMENT: Final = "stock.shipment.out"
_OPEN: Final = ("waiting", "assigned", "picked", "packed")


class Staff:
    """Warehouse and office of one company. Orders are named by our keys, such as `aurora/5001`."""

    warehouse = company.WAREHOUSE

    def __init__(self, tryton: TrytonApi) -> None:
        self.staff = tryton
        """The administrator's client."""

    def add_product(self, sku: str) -> None:
        """Have one more product that is stocked and sold, set up as the others are."""
        (like,) = self.staff.rows(
            "product.product", [["code", "=", company.GOODS[0]]], ["template.default_uom", "template.account_category"]
        )
        template = like["template."]
        values = company.product(sku, "goods", unit=template["default_uom"], category=template["account_category"])
        self.staff.create("product.template", values)

    def put_on_shelf(self, sku: str, units: int) -> None:
        """So many are on the shelf of the warehouse now."""
        staff = self.staff
        (product,) = staff.rows("product.product", [["code", "=", sku]], ["id"])
        (place,) = staff.rows("stock.location", [["name", "=", self.warehouse]], ["storage_location"])
        values = {
            "company": staff.company,
            "location": place["storage_location"],
            "date": utc_now().date(),
            "lines": [["create", [{"product": product["id"], "quantity": units}]]],
        }
        staff.press("stock.inventory", "confirm", staff.create("stock.inventory", values))

    def pick(self, key: str) -> None:
        """The warehouse picks what waits of the sale."""
        for shipment in self._shipments(key, _OPEN):
            if shipment["state"] == "waiting":
                self._fetch(shipment["id"])

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        """The warehouse ships these units by SKU (None: all that wait), tracking noted."""
        for shipment in self._shipments(key, _OPEN):
            number = shipment["id"]
            if units is not None:
                self._make_smaller(number, units)
            if shipment["state"] == "waiting":
                self._fetch(number)
            if parcels:
                self.staff.write(SHIPMENT, [number], {"shipping_reference": parcels[0].number})
            if shipment["state"] != "packed":
                self.staff.press(SHIPMENT, "pack", number)
            self.staff.press(SHIPMENT, "ship", number)

    def send_everything_off(self) -> None:
        """The warehouse works off whatever waits to be fetched, no tracking noted."""
        waiting = self.staff.rows(SHIPMENT, [["state", "=", "waiting"]], ["id"])
        numbers = [shipment["id"] for shipment in waiting]
        self._fetch(*numbers)
        for number in numbers:  # one by one: Tryton warns of each
            self.staff.press(SHIPMENT, "pack", number)
            self.staff.press(SHIPMENT, "ship", number)

    def deliver(self, key: str) -> None:
        """The buyer has what was sent."""
        for shipment in self._shipments(key, ("shipped",)):
            self.staff.press(SHIPMENT, "do", shipment["id"])

    def count_documents(self, key: str) -> Mapping[str, int]:
        """How many `sales`, `invoices`, `credits`, `returns`, `payments` there are whose key begins with `key`."""
        like = f"{key}%"
        sales = self.staff.rows("sale.sale", [["reference", "like", like]], ["id"])
        invoices = self.staff.rows("account.invoice", [["reference", "like", like]], ["total_amount"])
        return {
            "sales": len(sales),
            "invoices": sum(row["total_amount"] >= Decimal(0) for row in invoices),
            "credits": sum(row["total_amount"] < Decimal(0) for row in invoices),
            "returns": len(self.staff.rows("stock.shipment.out.return", [["reference", "like", like]], ["id"])),
            "payments": len(self.staff.rows("account.move", [["description", "like", like]], ["id"])),
        }

    # ---- customers ----

    def edit_customer(self, key: str, *, name: str, email: str) -> None:
        """Write a customer's name and e-mail address in the form of the party, both at once as the form does."""
        party = self._party(key)
        fields = ["contact_mechanisms.type"]
        (row,) = self.staff.rows("party.party", [["id", "=", party]], fields)
        numbers = [each["id"] for each in row["contact_mechanisms."] if each["type"] == "email"]
        values = {"type": "email", "value": email}
        command = ["write", numbers[:1], values] if numbers else ["create", [values]]
        self.staff.write("party.party", [party], {"name": name, "contact_mechanisms": [command]})

    def deactivate_customer(self, key: str) -> None:
        self.staff.write("party.party", [self._party(key)], {"active": False})

    def customer_names(self, key: str) -> list[str]:
        """Names of the parties under a key: one, or none."""
        return [str(row["name"]) for row in self.staff.rows("party.party", _of_party(key), ["name"])]

    def cities(self, key: str) -> tuple[str | None, str | None]:
        """Where the bill and the goods of a sale go."""
        fields = ["invoice_address.city", "shipment_address.city"]
        (sale,) = self.staff.rows("sale.sale", [["reference", "=", key]], fields)
        billing, shipping = sale["invoice_address."], sale["shipment_address."]
        return billing and billing["city"], shipping and shipping["city"]

    def _party(self, key: str) -> int:
        (party,) = self.staff.rows("party.party", _of_party(key), ["id"])
        return int(party["id"])

    # ---- what there is ----

    def sales(self) -> Counter[str]:
        """How many sales the company has under each key."""
        return Counter(row["reference"] for row in self.staff.rows("sale.sale", [], ["reference"]))

    def invoices(self) -> Counter[str]:
        """How many invoices to customers it has under each key."""
        domain = [["type", "=", "out"]]
        return Counter(row["reference"] for row in self.staff.rows("account.invoice", domain, ["reference"]))

    def _fetch(self, *numbers: int) -> None:
        self.staff.press(SHIPMENT, "assign_force", *numbers)
        self.staff.press(SHIPMENT, "pick", *numbers)

    def _shipments(self, key: str, states: Sequence[str]) -> list[dict[str, Any]]:
        (sale,) = self.staff.rows("sale.sale", [["reference", "=", key]], ["shipments.state"])
        return [shipment for shipment in sale["shipments."] if shipment["state"] in states]

    def _make_smaller(self, number: int, units: Mapping[str, int]) -> None:
        """What is to be fetched from the shelf, before anybody goes."""
        fields = ["inventory_moves.product.code", "inventory_moves.quantity"]
        (shipment,) = self.staff.rows(SHIPMENT, [["id", "=", number]], fields)
        for move in shipment["inventory_moves."]:
            self.staff.write("stock.move", [move["id"]], {"quantity": units.get(move["product."]["code"], 0)})


def _of_party(key: str) -> list[list[Any]]:
    return [["code", "=", key], ["active", "in", [True, False]]]
