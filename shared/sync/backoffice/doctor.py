"""Whether a back office has what the settings name, and lets us do what orders need. Facts are read, then judged.

The judgement is a pure function of the facts. Nothing is written, and no right is tried out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Final, TypeVar

from shared.backoffices.documents import Identity, LedgerAccount, MissingRight, Product, Tax, Warehouse
from shared.backoffices.port import BackOffice, Capabilities
from shared.kernel.errors import Rejected, Retry
from shared.sync.backoffice.rules import BookRules, InvoiceMoment
from shared.sync.findings import Finding, Notebook, Side, Trouble, first

_T = TypeVar("_T")

SKUS_PER_QUESTION: Final = 200
MOST_FIGURES: Final = 200
"""SKUs whose stock is asked for, of each location that the back office owns."""


@dataclass(frozen=True)
class Expected:
    """What the settings and our tables expect of one back office."""

    name: str
    rules: BookRules
    company: str | None = None
    locations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The stock locations of each shop whose orders it gets."""
    stock_skus: frozenset[str] = frozenset()
    """SKUs on our shelves."""
    ordered_skus: frozenset[str] = frozenset()
    """SKUs in the shops' orders of late."""
    journal_accounts: Mapping[str, str] | None = None
    """The back office's account codes by the accounts of our ledger; None where it gets no daily journals."""

    @property
    def charge_skus(self) -> dict[str, str]:
        """SKUs of the products for charges, by what they are for."""
        return {name: sku for name, sku in self.rules.products.model_dump().items() if sku}


@dataclass(frozen=True)
class OfficeFacts:
    """What the back office answered. What is None was not answered: `troubles` says why, by question."""

    capabilities: Capabilities
    identity: Identity | None = None
    missing_rights: tuple[MissingRight, ...] | None = None
    warehouses: tuple[Warehouse, ...] | None = None
    taxes: tuple[Tax, ...] | None = None
    payment_methods: tuple[str, ...] | None = None
    products: Mapping[str, Product] | None = None
    accounts: tuple[LedgerAccount, ...] | None = None
    """None as well where no journals are to go there."""
    figures: Mapping[str, int] = field(default_factory=dict)
    """How many of the SKUs asked for have stock figures, by location."""
    troubles: Mapping[str, Trouble] = field(default_factory=dict)


def facts_of(office: BackOffice, expected: Expected) -> OfficeFacts:
    """Ask all that the judgement needs. A question that fails stops no other, unless nobody answers at all."""
    asked = _Questions()
    identity = asked.ask("answers", office.identify)
    if identity is None:
        return OfficeFacts(office.capabilities, troubles=asked.troubles)
    warehouses = asked.ask("warehouses", office.warehouses)
    return OfficeFacts(
        capabilities=office.capabilities,
        identity=identity,
        missing_rights=asked.ask("rights", office.missing_rights),
        warehouses=warehouses,
        taxes=asked.ask("taxes", office.taxes),
        payment_methods=asked.ask("payments", office.payment_methods),
        products=asked.ask("products", lambda: _products(office, expected)),
        accounts=asked.ask("accounts", office.accounts) if _wants_journals(office.capabilities, expected) else None,
        figures=_figures(office, expected, warehouses or (), asked),
        troubles=asked.troubles,
    )


def _wants_journals(can: Capabilities, expected: Expected) -> bool:
    return can.journals and expected.journal_accounts is not None


class _Questions:
    def __init__(self) -> None:
        self.troubles: dict[str, Trouble] = {}

    def ask(self, name: str, question: Callable[[], _T]) -> _T | None:
        try:
            return question()
        except (Rejected, Retry) as error:
            self.troubles[name] = Trouble.of(error)
            return None


def _products(office: BackOffice, expected: Expected) -> Mapping[str, Product]:
    wanted = sorted({*expected.stock_skus, *expected.ordered_skus, *expected.charge_skus.values()})
    found: dict[str, Product] = {}
    for start in range(0, len(wanted), SKUS_PER_QUESTION):
        found |= office.products(wanted[start : start + SKUS_PER_QUESTION])
    return found


def _figures(
    office: BackOffice, expected: Expected, warehouses: Iterable[Warehouse], asked: _Questions
) -> dict[str, int]:
    known = {warehouse.name for warehouse in warehouses}
    skus = sorted(expected.stock_skus)[:MOST_FIGURES]
    figures = {}
    for location in expected.rules.owns_stock if office.capabilities.stock and skus else ():
        warehouse = expected.rules.warehouses.get(location)
        if warehouse is not None and warehouse in known:
            found = asked.ask(f"stock of {location}", partial(office.stock, skus, warehouse))
            if found is not None:
                figures[location] = len(found)
    return figures


def judge(facts: OfficeFacts, expected: Expected) -> tuple[Finding, ...]:
    """What is in order, what is not, and how to mend it."""
    notes = Notebook(Side.BACKOFFICE, expected.name)
    for name, trouble in facts.troubles.items():
        notes.unanswered(name, trouble)
    if facts.identity is not None:
        _identity(facts.identity, expected, notes)
        _rights(facts, notes)
        _warehouses(facts, expected, notes)
        _taxes(facts, expected, notes)
        _payments(facts, expected, notes)
        _accounts(facts, expected, notes)
        _charges(facts, expected, notes)
        _goods(facts, expected, notes)
        _stock(facts, expected, notes)
    _capabilities(facts.capabilities, expected, notes)
    return tuple(notes.findings)


def _identity(identity: Identity, expected: Expected, notes: Notebook) -> None:
    notes.ok("answers", f"{identity.vendor} {identity.version}, as {identity.user}")
    if expected.company is not None and expected.company != identity.company:
        found = f"we speak for {identity.company}, the settings name {expected.company}"
        notes.fault("company", found, "give the user access to that company, or correct backoffices.…company")
    else:
        notes.ok("company", f"{identity.company}, books in {identity.currency}")


def _rights(facts: OfficeFacts, notes: Notebook) -> None:
    if facts.missing_rights is None:
        return
    for right in facts.missing_rights:
        notes.fault("rights", f"our user may not {right.what}", right.hint)
    if not facts.missing_rights:
        notes.ok("rights", "our user may do all that orders need")


def _warehouses(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    if facts.warehouses is None:
        return
    known = {warehouse.name for warehouse in facts.warehouses}
    there = f"there is: {', '.join(sorted(known)) or 'none'}"
    named = expected.rules.warehouses
    for location, name in sorted(named.items()):
        if name not in known:
            notes.fault("warehouses", f"location {location} is to be {name!r}, which is not there", there)
    for shop, locations in sorted(expected.locations.items()):
        missing = [location for location in locations if location not in named]
        mend = f'name it in the settings: warehouses = {{ {missing[0]} = "…" }}; {there}' if missing else None
        if len(missing) == len(locations):
            notes.fault("warehouses", f"no location of shop {shop} has a warehouse: its orders will stop", mend)
        elif missing:
            found = f"{', '.join(missing)} of shop {shop} has no warehouse: what is there is shipped from another"
            notes.warning("warehouses", found, mend)
    if named and set(named.values()) <= known:
        notes.ok("warehouses", ", ".join(f"{location} is {name}" for location, name in sorted(named.items())))


def _taxes(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    if facts.taxes is None:
        return
    known = {tax.name: tax for tax in facts.taxes}
    there = f"there is: {first(sorted(known)) or 'none'}"
    if not expected.rules.taxes:
        mend = f'name them in the settings: taxes = {{ "0.21" = "…" }}; {there}'
        notes.warning("taxes", "no tax is named: every order that bears one will stop", mend)
    for key, name in sorted(expected.rules.taxes.items()):
        if name in known:
            _rate(key, known[name], notes)
        else:
            notes.fault("taxes", f"{key} is to be {name!r}, which is not there", there)
    if all(finding.check != "taxes" for finding in notes.findings):
        notes.ok("taxes", f"{len(expected.rules.taxes)} named, all there at their rates")


def _rate(key: str, tax: Tax, notes: Notebook) -> None:
    wanted = rate_of(key)
    if wanted is None:
        return
    if tax.rate is None:
        found = f"{tax.name} is no percentage, and is named for the rate {wanted}"
        notes.warning("taxes", found, "look whether the back office computes this rate with it")
    elif Decimal(tax.rate) != wanted:
        found = f"{tax.name} is {tax.rate} in the back office, and is named for {key}"
        notes.fault("taxes", found, "name the tax of that rate in the settings")


def rate_of(key: str) -> Decimal | None:
    """The rate in a key of the settings' taxes: `NL/0.21`, `0.21`; None for a title such as `MwSt`."""
    try:
        rate = Decimal(key.rpartition("/")[2])
    except InvalidOperation:
        return None
    return rate if rate.is_finite() else None


def _payments(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    if facts.payment_methods is None or not facts.capabilities.payments:
        return
    there = f"there is: {', '.join(facts.payment_methods) or 'none'}"
    named = expected.rules.payment_methods
    if not named:
        mend = f'to book them: payment_methods = {{ "*" = "…" }}; {there}'
        notes.warning("payments", "no payment method is named: payments are not booked", mend)
        return
    missing = {name for name in named.values() if name not in facts.payment_methods}
    for name in sorted(missing):
        notes.fault("payments", f"there is no payment method {name!r}", there)
    if not missing:
        notes.ok("payments", f"{len(set(named.values()))} named, all there")


def _accounts(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    """Whether daily journals find the accounts that they are to go to. One that tells none takes codes as they are."""
    if not facts.accounts or expected.journal_accounts is None:
        return
    known = {account.code for account in facts.accounts}
    named = expected.journal_accounts
    there = f"there is: {first([f'{account.code} {account.name}' for account in facts.accounts])}"
    if not named:
        mend = f'name them in the settings: finance.backoffice_accounts = {{ fees = "…" }}; {there}'
        notes.fault("accounts", "daily journals are to go there, and no account is named: no day will close", mend)
    missing = [name for name in sorted(named) if named[name] not in known]
    for name in missing:
        notes.fault("accounts", f"{name} is to be {named[name]!r}, which takes no entries or is not there", there)
    if named and not missing:
        notes.ok("accounts", f"{len(named)} named for daily journals, all there")


_ALWAYS_NEEDED: Final = frozenset({"shipping", "rounding"})
"""Nearly every order has shipping, and any may need a cent of rounding."""
_MAY_BE_GOODS: Final = frozenset({"no_sku"})


def _charges(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    if facts.products is None:
        return
    sound = True
    for purpose, sku in expected.charge_skus.items():
        product = facts.products.get(sku)
        if product is None:
            sound = False
            found = f"{sku}, the product for {purpose}, is not there: orders that need it will stop"
            mend = f"create it as a service, or name another: products.{purpose}"
            (notes.fault if purpose in _ALWAYS_NEEDED else notes.warning)("charge products", found, mend)
        elif product.stocked and purpose not in _MAY_BE_GOODS:
            sound = False
            found = f"{sku}, the product for {purpose}, is kept in stock: the warehouse would be told to ship it"
            notes.fault("charge products", found, "make it a service")
    if sound:
        notes.ok("charge products", f"{len(expected.charge_skus)} there, as services")


def _goods(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    if facts.products is None:
        return
    ordered, shelved = expected.ordered_skus, expected.stock_skus
    for check, skus, note in (
        ("products in orders", ordered, notes.fault),
        ("products in stock", shelved, notes.warning),
    ):
        missing = sorted(skus - facts.products.keys())
        if missing:
            found = f"{len(missing)} of {len(skus)} SKUs are no products there: {first(missing)}"
            note(check, found, "create the products, or give them the same SKU on both sides")
        elif skus:
            notes.ok(check, f"all {len(skus)} SKUs are products there")
        else:
            notes.info(check, "there are none yet")


def _stock(facts: OfficeFacts, expected: Expected, notes: Notebook) -> None:
    for location in expected.rules.owns_stock:
        asked = min(len(expected.stock_skus), MOST_FIGURES)
        if not facts.capabilities.stock:
            mend = "take the location out of owns_stock, and count here"
            notes.fault("stock", f"{location} is to follow the back office, which tells no stock", mend)
        elif location in facts.figures:
            told = facts.figures[location]
            found = f"{location}: figures for {told} of {asked} SKUs asked for"
            if told:
                notes.ok("stock", found)
            else:
                notes.fault("stock", found, "look whether the SKUs are the same on both sides")
        elif not expected.stock_skus:
            notes.info("stock", f"{location}: nothing is on our shelves yet to compare")


_WITHOUT: Final[Mapping[str, str]] = {
    "confirms": "knows no drafts: an order counts as soon as it is recorded",
    "amends": "takes no changes of a confirmed sale: staff make them by hand",
    "cancels": "takes no cancellation: staff cancel by hand",
    "ships": "takes no shipments that were made elsewhere",
    "tells_shipments": "does not tell what it ships: the storefront hears of nothing",
    "tells_delivery": "does not tell delivered from shipped",
    "tracks_parcels": "knows one tracking number for each consignment at most",
    "returns": "takes no returns: staff book them by hand",
    "invoices": "makes no invoices",
    "credits": "makes no credit notes: staff make them by hand",
    "payments": "books no payments",
    "journals": "takes no daily journals: fees and payouts are in the exports alone",
    "stock": "tells no stock",
    "counts": "takes no counts",
    "customer_feed": "does not tell of changed customers",
    "forgets_customers": "cannot take a customer's personal data out: staff do it there when one is erased",
}


def _capabilities(can: Capabilities, expected: Expected, notes: Notebook) -> None:
    for flag, words in _WITHOUT.items():
        if not getattr(can, flag):
            notes.info("cannot", words)
    if not can.tells_delivery and expected.rules.complete_when == "delivered":
        mend = 'set complete_when = "told" or "shipped"'
        notes.fault("completion", "orders are to be complete on delivery, which it does not tell", mend)
    if not can.invoices and expected.rules.invoice is not InvoiceMoment.NEVER:
        notes.info("invoices", "the settings name a moment for invoices, and it makes none", 'set invoice = "never"')
    if not can.journals and expected.journal_accounts is not None:
        mend = "leave finance.backoffice out, or map a form of journals"
        notes.fault("journals", "daily journals are to go there, and it takes none", mend)
    if expected.rules.rehearsal:
        notes.info("rehearsal", "nothing is written to it", "when all is well: rehearsal = false")
    notes.info("adapter", f"sells from {can.sellable}; tried against {can.tried}")
