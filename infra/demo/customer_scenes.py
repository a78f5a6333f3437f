"""Scenes of the second act about the people who buy: they prove who they are, are kept the same on both sides, turn out
to be one person, look where their order is, and are forgotten."""

from collections.abc import Iterator
from typing import Final

from infra.demo.backoffice_stage import House
from infra.demo.customer_stage import (
    answered,
    archived_with,
    links,
    opened,
    party_of,
    record_of,
    registered_at_aurora,
    registered_at_borealis,
    rows_with,
    writes,
)
from infra.demo.scenes import Told
from shared.backoffices.documents import SaleState
from shared.customers.matcher import open_proposals
from shared.customers.matching import Proposal
from shared.customers.merging import orders_of_person
from shared.customers.record import VerificationState
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.sync.privacy.models import PrivacyRequest, RequestState

ZOE: Final = "zoe@example.test"
"""Whoever orders at the shops without an account."""
ADA: Final = "ada@example.test"
_HOME: Final = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address1": "Weg 2",
    "zip": "10115",
    "city": "Berlin",
    "country_code": "DE",
}
_CANAL: Final = {"address_1": "Kade 1", "postcode": "1011AB", "city": "Amsterdam", "country": "NL"}
_PRIVATE: Final = ("Zoe", "Ünal", "@example.test", "MUG", "EUR", "12.50")
"""What a buyer's page never shows: who it is, what was bought, for how much."""


# ---- proof ----


def first_order(house: House) -> Iterator[Told]:
    before = links(ZOE, "verify"), links(ZOE, "track")
    key = house.buy("borealis", "MUG", 1)
    record, asked = house.record(key), [path for path in links(ZOE, "verify") if path not in before[0]]
    yield Told(
        "Zoe orders at Borealis for the first time",
        f"{record.status}; {len(asked)} link mailed",
        f"{', '.join(str(hold.reason) for hold in record.holds)}: this shop wants proof before the first order leaves",
        [str(hold.reason) for hold in record.holds] == ["customer_unverified"] and len(asked) == 1,
    )
    answered(house, asked[0], "confirm")
    house.settle()
    record, sale = house.record(key), house.sale(key)
    yield Told(
        "She opens the link and presses the button",
        f"{record.status}; sale {sale.number} {sale.state}",
        "once the address is proven the order goes on, and every later one of hers",
        record.status == "ready" and sale.state is SaleState.CONFIRMED,
    )
    (path,) = [path for path in links(ZOE, "track") if path not in before[1]]
    yield _order_page(house, key, path)


def _order_page(house: House, key: OrderKey, path: str) -> Told:
    page = opened(house, path)
    names_order = house.record(key).name in page.words
    shows_more = [word for word in _PRIVATE if word in page.html]
    return Told(
        f"The mail that confirms the order leads to its page, {_shortened(path)}",
        f"“{page.words}”",
        "behind a signed link: no name, address, goods or price",
        page.status == 200 and names_order and not shows_more,  # noqa: PLR2004 - HTTP's success
    )


def registration(house: House) -> Iterator[Told]:
    key = registered_at_aurora(house, email=ADA, first_name="Ada", last_name="Lovelace", address=dict(_HOME))
    (path,) = links(ADA, "verify")
    looked = opened(house, path)
    state = record_of(house, key).verification.state
    yield Told(
        "Ada registers at Aurora, and opens the link that she is sent",
        f"{state}; Tryton has {_named(house, key)}",
        f"a program that looks into mails would open it too; the page asks: “{looked.words}”",
        state is VerificationState.PENDING and party_of(house, key) is None,
    )
    yield _no_good(house, key, path)
    answered(house, path, "confirm")
    house.settle()
    verification = record_of(house, key).verification
    yield Told(
        "She presses the button",
        f"{verification.state} by {verification.by}; Tryton has {_named(house, key)}",
        "one party, under the key of the account",
        verification.state is VerificationState.VERIFIED and house.staff.customer_names(str(key)) == ["Ada Lovelace"],
    )


def _no_good(house: House, key: CustomerKey, path: str) -> Told:
    """A forged link, and the link of one page at the door of another."""
    forged = path[:-4] + ("AAAA" if not path.endswith("AAAA") else "BBBB")
    pages = [answered(house, forged, "confirm"), opened(house, path.replace("/verify/", "/track/"))]
    shown = {page.words for page in pages}
    kept_quiet = not any(word in page.html for page in pages for word in ("Ada", "Lovelace", ADA, str(key)))
    unmoved = record_of(house, key).verification.state is VerificationState.PENDING
    return Told("Somebody tries a forged link", f"“{min(shown)}”", "politely nothing", kept_quiet and unmoved)


# ---- both sides ----


def edits_that_meet(house: House) -> Iterator[Told]:
    key = registered_at_borealis(house, "emma@example.test", first_name="Emma", last_name="Post")
    yield Told(
        "Emma registers at Borealis, which asks nobody before the first order",
        f"Tryton has {_named(house, key)}",
        "each shop's own policy",
        house.staff.customer_names(str(key)) == ["Emma Post"],
    )
    shop = house.stage.shops.borealis
    account = shop.customers.accounts[int(key.id)]
    shop.edit_address(account, "billing", first_name="Emma", last_name="Shopside", **_CANAL)
    shop.edit_details(account, last_name="Shopside")
    house.staff.edit_customer(str(key), name="Emma Erpside", email="emma.post@example.test")
    house.look()
    house.look()
    party, name = party_of(house, key), f"{account.first_name} {account.last_name}"
    city = party.billing.city if party and party.billing else None
    clashes = list(house.customers.conflicts_of(key))
    yield Told(
        "She moves and changes her name, Tryton's staff her e-mail and her name, all at once",
        f"{name}, {account.email}, {account.billing['city']} at both",
        f"{len(clashes)} conflict: of the two names the newest stands, the other is kept for staff to see",
        party is not None
        and (party.name, party.email, city) == (name, account.email, account.billing["city"])
        and (account.email, city) == ("emma.post@example.test", "Amsterdam")
        and [clash.field.value for clash in clashes] == ["name"],
    )
    before = writes(house), record_of(house, key).revision
    house.look()
    yield Told(
        "Tryton is looked at once more",
        "nothing is written anywhere",
        "what we wrote ourselves is nobody's edit",
        (writes(house), record_of(house, key).revision) == before,
    )


# ---- one person ----


def one_person(house: House) -> Iterator[Told]:
    first = registered_at_borealis(house, "anna.mueller@gmail.com", first_name="Anna", last_name="Mueller")
    order = _bought(house, first)
    second = registered_at_aurora(
        house, email="annamueller+shop@gmail.com", first_name="Anna", last_name="Müller", phone="+4930901820"
    )
    both = {str(first), str(second)}
    proposal = next(one for one in open_proposals(house.customers) if set(one.customers) == both)
    yield Told(
        "Anna Mueller has ordered at Borealis; Anna Müller registers at Aurora",
        f"order {house.record(order).status}; proposed as one person, {proposal.score} points",
        _reasons(proposal),
        house.record(order).status == "ready"
        and "same_mailbox" in {reason.kind for reason in proposal.reasons}
        and not _has(house, second, order),
    )
    merge = house.operate("customers", "proposals", "accept", proposal.id, "--by", "mia")["accepted"][0]["merge"]
    house.settle()
    leader = CustomerKey.parse(record_of(house, first).leader)
    party = party_of(house, leader)
    yield Told(
        "Mia accepts",
        f"both go by {leader}; the order is of either; Tryton has {_named(house, leader)}, {party and party.phone}",
        "her party has the telephone that only Aurora knew",
        record_of(house, second).leader == str(leader)
        and _has(house, second, order)
        and party is not None
        and party.phone == "+4930901820",
    )
    house.operate("customers", "unmerge", str(leader), merge, "--by", "mia")
    house.settle()
    party = party_of(house, first)
    yield Told(
        "Mia finds that they are two, and parts them",
        f"each goes by its own; the order is {first}'s; Tryton has {_named(house, first)}, {party and party.phone}",
        "a merge copies nothing, so that nothing is lost by undoing it",
        [record_of(house, key).leader for key in (first, second)] == [str(first), str(second)]
        and _has(house, first, order)
        and not _has(house, second, order)
        and party is not None
        and party.phone is None,
    )


def _bought(house: House, buyer: CustomerKey) -> OrderKey:
    """The owner of an account at Borealis says where she lives, orders, and proves her e-mail address."""
    shop = house.stage.shops.borealis
    account = shop.customers.accounts[int(buyer.id)]
    named = {"first_name": account.first_name, "last_name": account.last_name}
    for kind in ("billing", "shipping"):
        shop.edit_address(account, kind, **named, **_CANAL)
    order = OrderKey("borealis", str(shop.sell("CAP", 1, block_checkout=False, buyer=account).id))
    house.settle()
    answered(house, links(account.email, "verify")[-1], "confirm")
    house.settle()
    return order


def _has(house: House, key: CustomerKey, order: OrderKey) -> bool:
    """Whether the order is one of the person's, whichever of the person's accounts is asked."""
    return order in set(orders_of_person(key, house.customers))


def _reasons(proposal: Proposal) -> str:
    return ", ".join(f"{reason.kind} {reason.weight:+}" for reason in proposal.reasons)


# ---- privacy ----


def erasure(house: House) -> Iterator[Told]:
    accounts = house.stage.shops.aurora.customers.kept
    key = next(CustomerKey.of_account("aurora", number) for number, one in accounts.items() if one["email"] == ADA)
    path = links(ADA, "verify")[-1]
    before = rows_with(house, "Lovelace"), archived_with(house, "Lovelace")
    house.stage.shops.aurora.customers.ask_for_privacy(key.id, erase=True)
    house.settle()
    request = _request(house, key)
    yield Told(
        "Ada has Aurora erase her: customers/redact",
        f"{request.state}, due {request.due_at:%d %B}",
        "the storefront signs the call; its topic alone would erase no whole shop",
        request.state is RequestState.OPEN and min(before) > 0,
    )
    house.stage.fire("customer-privacy")
    request, left = _request(house, key), rows_with(house, "Lovelace") + rows_with(house, ADA)
    record, page = record_of(house, key), opened(house, path)
    yield Told(
        "The scheduled function customer-privacy runs",
        f"{left} traces in Tryton's database, no profile here; {_counts(request)}",
        "tables, archive, dead letters and the back office; the number alone stays, so that she is not taken in again",
        left == 0
        and record.erased_at is not None
        and house.customers.find_customer(key) is None
        and archived_with(house, "Lovelace") == 0
        and "Lovelace" not in page.html,
    )
    again = request.resume_at
    yield Told(
        "Is it proven?",
        f"{request.state}; all is gone through once more on {again:%d %B}" if again else str(request.state),
        "what was under way in a queue meanwhile is found then; the proof, without the data, follows",
        request.state is RequestState.WATCHING and again is not None and again < request.due_at,
    )


def _request(house: House, key: CustomerKey) -> PrivacyRequest:
    (found,) = [one for one in house.requests.unfinished() if str(key) in one.subjects.customers]
    return found


def _counts(request: PrivacyRequest) -> str:
    return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in request.counts.items())


# ---- words ----


def _named(house: House, key: CustomerKey) -> str:
    return ", ".join(house.staff.customer_names(str(key))) or "nobody"


def _shortened(path: str) -> str:
    return f"{path[:24]}…"


MEETING: Final = (("A first order", first_order),)
"""Before others of the same buyer."""
PEOPLE: Final = (
    ("A registration", registration),
    ("Edits that meet", edits_that_meet),
    ("One person, two accounts", one_person),
    ("An erasure", erasure),
)
