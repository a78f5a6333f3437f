"""What must hold between our books and Tryton's, checked on what the second act left at both sides."""

from collections import Counter
from collections.abc import Iterator

from infra.demo.backoffice_stage import House
from infra.demo.verdict import Check, nothing_private
from shared.backoffices.documents import Sale
from shared.inventory.ledger import audit
from shared.kernel.identifiers import OrderKey


def check_back_office(house: House) -> Iterator[Check]:
    sales = {key: house.sale(key) for key in sorted(house.keys())}
    yield _one_of_each(house, set(sales))
    yield _totals_equal(house, sales)
    yield _shelves_equal(house)
    yield _ledger_whole(house)
    yield _told_once(house, sales)
    yield _people_equal(house)
    yield _nothing_waits(house)
    yield nothing_private(house.stage)


def _one_of_each(house: House, keys: set[OrderKey]) -> Check:
    wanted = Counter(map(str, keys))
    sales, invoices = house.staff.sales(), house.staff.invoices()
    found = f"{len(keys)} orders, {sales.total()} sales, {invoices.total()} invoices"
    return Check("One sale and one invoice for each order", sales == invoices == wanted, found)


def _totals_equal(house: House, sales: dict[OrderKey, Sale]) -> Check:
    differing = [
        str(key)
        for key, sale in sales.items()
        if not (sale.total.equals(house.net(key)) and sale.invoice and sale.invoice.total.equals(sale.total))
    ]
    found = f"differing: {', '.join(differing) or 'none'}"
    return Check("Sale and invoice come to what the buyer owes, to the cent", not differing, found)


def _shelves_equal(house: House) -> Check:
    shelves = house.shelves(*sorted(level.sku for level in house.stage.stock.read_all()))
    differing = [sku for sku, (here, there) in shelves.items() if here != there]
    found = ", ".join(f"{sku} {here}/{there}" for sku, (here, there) in shelves.items())
    return Check("Our shelf is Tryton's shelf", not differing, found)


def _ledger_whole(house: House) -> Check:
    levels = list(house.stage.stock.read_all())
    broken = [line.sku for line in levels if not audit(house.ledger.of(line.sku, line.location), line).agrees]
    count = sum(len(house.ledger.of(line.sku, line.location)) for line in levels)
    return Check("The ledger tells how each level came about", not broken, f"{count} movements of {len(levels)} levels")


def _told_once(house: House, sales: dict[OrderKey, Sale]) -> Check:
    parcels = sum(one.has_left for sale in sales.values() for one in sale.consignments)
    mails = {key: house.mails(key) for key in sales}
    right = all(mails[key] == sum(one.has_left for one in sale.consignments) for key, sale in sales.items())
    return Check("One mail for each consignment", right, f"{parcels} consignments, {sum(mails.values())} mails")


def _people_equal(house: House) -> Check:
    """Each account that has a party of its own and Tryton say the same; nobody has two parties."""
    differing, compared = [], 0
    for record in house.customers.all_records():
        customer, names = house.customers.find_customer(record.key), house.staff.customer_names(str(record.key))
        if customer is not None and customer.kind == "customer" and names:
            compared += 1
            party = house.erp.find_customer(str(record.key))
            known = (party.card.name, party.card.email) if party else None
            if len(names) > 1 or known != (customer.personal.name, customer.personal.email):
                differing.append(str(record.key))
    found = f"{compared} accounts, differing: {', '.join(differing) or 'none'}"
    return Check("One party for each account, with its name and e-mail", not differing and compared > 0, found)


def _nothing_waits(house: House) -> Check:
    stopped, behind = house.stopped(), house.operate("desk", "behind")["orders"]
    people = house.operate("customers", "list")["stopped"]
    found = f"{len(stopped)} on the error desk, {len(behind)} behind, {len(people)} people stopped"
    return Check("Nothing is stopped, nobody is behind", not stopped and not behind and not people, found)
