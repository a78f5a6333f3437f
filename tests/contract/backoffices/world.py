"""What the contract suite needs of a back office beside the port: its catalogue, and what its own staff do."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

from shared.backoffices.documents import (
    Address,
    ConsignmentLine,
    CustomerCard,
    Rounding,
    Sale,
    SaleLine,
    SalesOrder,
)
from shared.backoffices.port import BackOffice
from shared.kernel.money import Money
from shared.orders.models import Parcel

PLACED = date(2026, 11, 23)


class Killed(BaseException):
    """The worker dies. Not an `Exception`, so that nobody handles it."""


class World(Protocol):
    """One company, fresh enough that keys of this test are unknown to it. Its currency is EUR.

    It has the products MUG, CAP and LAMP (goods) and SHIPPING, FEE, ROUNDING (services), named the same, and the taxes
    below.
    """

    office: BackOffice
    warehouse: str
    vat21: str
    """Name of a sales tax of 21 %, on top of the net price."""
    vat9: str
    method: str
    """Name of a payment method."""

    @property
    def accounts(self) -> tuple[str, str, str]:
        """Codes of three accounts that journals may be posted to."""
        ...

    @property
    def journal(self) -> str | None:
        """Name of the general journal; None where the back office keeps all entries in one place."""
        ...

    def fresh(self) -> BackOffice:
        """Another client of the same company, as a new worker has it: nothing cached."""
        ...

    def killing(self, at: int, *, after: bool) -> BackOffice:
        """A client whose `at`-th request (from 0) ends in :class:`Killed`, before it is sent or after it was done."""
        ...

    def put_on_shelf(self, sku: str, units: int) -> None:
        """So many are on the shelf of the warehouse now."""
        ...

    def pick(self, key: str) -> None:
        """The warehouse picks what waits of the sale."""
        ...

    def send_off(self, key: str, units: Mapping[str, int] | None = None, parcels: Sequence[Parcel] = ()) -> None:
        """The warehouse ships these units by SKU (None: all that wait), tracking noted."""
        ...

    def deliver(self, key: str) -> None:
        """The buyer has what was sent; only where the back office can tell."""
        ...

    def edit_customer(self, key: str, *, name: str, email: str) -> None:
        """Staff write another name and e-mail address."""
        ...

    def deactivate_customer(self, key: str) -> None:
        """Staff put the customer out of use; nothing where the back office knows no such thing."""
        ...

    def cities(self, key: str) -> tuple[str | None, str | None]:
        """Where the bill and the goods of a sale go, as its own document says; None where it does not say."""
        ...

    def held(self, card: CustomerCard) -> CustomerCard:
        """The card as far as the back office can hold it."""
        ...

    def traces(self, word: str) -> list[str]:
        """Wherever the word still stands in the back office, documents and logs included."""
        ...

    def count_documents(self, key: str) -> Mapping[str, int]:
        """How many `sales`, `invoices`, `credits`, `returns`, `payments` there are whose key begins with `key`."""
        ...

    def count_journals(self, key: str) -> int:
        """How many journal entries there are whose key begins with `key`, posted or not."""
        ...

    def close_books(self, until: date) -> bool:
        """Staff close what is up to a day for good; False where the back office knows no such thing."""
        ...


WorldMaker = Callable[[], World]


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def card(key: str) -> CustomerCard:
    address = Address(
        name="Ada Lovelace", street=("Keizersgracht 1",), postal_code="1015 AA", city="Amsterdam", country="NL"
    )
    return CustomerCard(
        key=key,
        name="Ada Lovelace",
        email=f"{key.replace('/', '-')}@example.test",
        phone="+31201234567",
        language="en",
        billing=address,
        shipping=address,
    )


def elsewhere(buyer: CustomerCard) -> CustomerCard:
    """The same, in Rotterdam."""
    assert buyer.billing is not None
    billing = buyer.billing.model_copy(
        update={"street": ("Coolsingel 40",), "postal_code": "3011 AD", "city": "Rotterdam"}
    )
    shipping = billing.model_copy(update={"street": ("Coolsingel 42",)})
    return buyer.model_copy(update={"billing": billing, "shipping": shipping})


def goods(key: str, sku: str, quantity: int, amount: str, *taxes: str) -> SaleLine:
    return SaleLine(key=key, sku=sku, title=sku.title(), quantity=quantity, amount=eur(amount), taxes=taxes)


def charge(key: str, sku: str, amount: str, *taxes: str) -> SaleLine:
    return SaleLine(key=key, sku=sku, title=sku.title(), quantity=1, amount=eur(amount), taxes=taxes, goods=False)


def order_of(
    world: World, key: str, *lines: SaleLine, total: str, customer_id: str | None = None, limit: str = "0.05"
) -> SalesOrder:
    """An order of these lines. Its buyer is saved first, as the buyer of one order, where no customer is given."""
    buyer = card(f"{key}/buyer").model_copy(update={"for_one_order": True})
    return SalesOrder(
        key=key,
        name="#" + key.rpartition("/")[2],
        placed_on=PLACED,
        customer=buyer,
        customer_id=customer_id or world.office.save_customer(buyer),
        currency="EUR",
        warehouse=world.warehouse,
        lines=lines,
        total=eur(total),
        rounding=Rounding(sku="ROUNDING", limit=eur(limit)),
    )


def units_of(lines: Sequence[ConsignmentLine]) -> dict[str, int]:
    return {line.key: line.quantity for line in lines}


def quantities(sale: Sale) -> dict[str, int]:
    """Units by line key, the rounding line left out."""
    return {line.key: line.quantity for line in sale.lines if line.key != "rounding" and line.quantity}
