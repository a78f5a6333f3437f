"""Whether a shop lets us do what its settings want of it: a pure judgement of what the shop says of itself."""

from dataclasses import dataclass

from shared.storefronts.port import Need, ShopFacts, ShopRight
from shared.sync.findings import Finding, Notebook, Side, Trouble


@dataclass(frozen=True)
class ExpectedShop:
    """What the settings expect of one shop."""

    name: str
    needs: frozenset[Need]
    """Empty: it may not be asked anything."""
    stock_location: str | None = None
    """Where its levels are kept, in a shop that has locations."""
    books_currency: str | None = None
    """Of the back office that its orders are recorded in; None where that is not known."""


def judge_shop(facts: ShopFacts | Trouble | None, expected: ExpectedShop) -> tuple[Finding, ...]:
    """What is in order, what is not, and how to mend it. `facts` is None where the shop may not be asked."""
    notes = Notebook(Side.STOREFRONT, expected.name)
    if facts is None:
        notes.info("answers", "not asked: api_access is off", "to have it checked: api_access = true and credentials")
    elif isinstance(facts, Trouble):
        notes.unanswered("answers", facts)
    else:
        notes.ok("answers", " ".join(part for part in (facts.name, facts.version) if part) or "our credentials work")
        _rights(facts, expected, notes)
        _currency(facts, expected, notes)
        _location(facts, expected, notes)
        _taxes(facts, notes)
    return tuple(notes.findings)


def _rights(facts: ShopFacts, expected: ExpectedShop, notes: Notebook) -> None:
    sound = True
    for right in facts.rights:
        needed = sorted(expected.needs.intersection(right.needs))
        if right.granted is None and needed:
            notes.warning("rights", f"whether we may {right.what} is not told", "try it out with one order")
            sound = False
        elif right.granted is False and needed:
            found = f"{right.what} is not granted; it is needed for {', '.join(needed)}"
            notes.fault("rights", found, _mend(right))
            sound = False
        elif right.granted is False:
            notes.info("rights", f"{right.what} is not granted{f': {right.without}' if right.without else ''}")
    if sound:
        notes.ok("rights", f"all that is needed for {', '.join(sorted(expected.needs))}")


def _mend(right: ShopRight) -> str:
    grant = f"grant it in the shop's admin and renew the credentials: {right.what}"
    return f"{grant}; without it {right.without}" if right.without else grant


def _currency(facts: ShopFacts, expected: ExpectedShop, notes: Notebook) -> None:
    if facts.currency is None:
        mend = "let the key's user manage the shop, or compare the currencies by hand"
        notes.warning("currency", "our credentials may not read the shop's currency", mend)
    elif expected.books_currency in (None, facts.currency):
        notes.ok("currency", facts.currency)
    else:
        found = f"the shop sells in {facts.currency}, its back office keeps its books in {expected.books_currency}"
        notes.fault("currency", found, "connect the shop to a company of its currency")


def _location(facts: ShopFacts, expected: ExpectedShop, notes: Notebook) -> None:
    if expected.stock_location is None:
        if facts.locations and Need.STOCK not in expected.needs:
            known = ", ".join(f"{one.id} ({one.name})" for one in facts.locations)
            notes.info("stock location", "its levels are left alone", f"to keep them: stock_location, one of {known}")
        return
    if facts.locations is None:
        notes.warning("stock location", "the shop's locations cannot be read", "grant read_locations")
        return
    location = next((one for one in facts.locations if one.id == expected.stock_location), None)
    known = f"there is: {', '.join(f'{one.id} ({one.name})' for one in facts.locations) or 'none'}"
    if location is None:
        notes.fault("stock location", f"the shop has no location {expected.stock_location}", known)
    elif not location.active:
        notes.fault("stock location", f"{location.name} is switched off", f"switch it on, or name another; {known}")
    else:
        notes.ok("stock location", f"{location.id} ({location.name})")


def _taxes(facts: ShopFacts, notes: Notebook) -> None:
    if facts.prices_include_tax is not None:
        words = "include tax: lines go to the back office without it" if facts.prices_include_tax else "are without tax"
        notes.info("prices", f"the shop's prices {words}")
