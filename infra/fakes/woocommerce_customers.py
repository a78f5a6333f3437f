"""The fake shop's customers: WordPress users with WooCommerce's addresses, their REST API and their events.

Facts are from WooCommerce 10.0.2: what was observed (every registration is announced as created and as updated, a write
over REST comes back as an update, a payload is built when it is delivered), and the source of
`WC_REST_Customers_V1_Controller`, `WC_Customer_Data_Store`, `WC_Form_Handler` and `WC_Webhook`.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from infra.fakes.woocommerce_requests import Json, Request, RestError, answer, invalid_parameter, page_of
from infra.fakes.woocommerce_state import Event, dates
from infra.local.answers import Answer
from infra.samples import woocommerce as build
from shared.kernel.clock import Clock

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SHIPPING_LACKS = "email"
_ORDERS: dict[str, Callable[["Account"], Any]] = {
    "id": lambda each: each.id,
    "include": lambda each: each.id,
    "name": lambda each: (each.username, each.id),
    "registered_date": lambda each: (each.registered_at, each.id),
}

CustomerRoute = tuple[str, str, Callable[[Request, tuple[int, ...]], Answer]]


def _blank_billing() -> dict[str, str]:
    return dict.fromkeys(build.address(), "")


def _blank_shipping() -> dict[str, str]:
    return {name: "" for name in build.address() if name != _SHIPPING_LACKS}


@dataclass(slots=True)
class Account:
    """A WordPress user."""

    id: int
    email: str
    username: str
    registered_at: datetime
    changed_at: datetime | None = None
    """None until WooCommerce first saves it: an account made in WordPress's own admin."""
    role: str = "customer"
    first_name: str = ""
    last_name: str = ""
    is_paying: bool = False
    billing: dict[str, str] = field(default_factory=_blank_billing)
    shipping: dict[str, str] = field(default_factory=_blank_shipping)
    meta_data: list[Json] = field(default_factory=list)

    def body(self) -> Json:
        never = {"date_modified": None, "date_modified_gmt": None}
        return build.customer(
            id=self.id,
            **dates("created", self.registered_at),
            **(dates("modified", self.changed_at) if self.changed_at else never),
            email=self.email,
            first_name=self.first_name,
            last_name=self.last_name,
            role=self.role,
            username=self.username,
            billing=dict(self.billing),
            shipping=dict(self.shipping),
            is_paying_customer=self.is_paying,
            avatar_url=f"https://secure.gravatar.com/avatar/{hashlib.sha256(self.email.encode()).hexdigest()}?s=96",
            meta_data=list(self.meta_data),
        )


class Customers:
    """The shop's accounts. Their ids are a row of numbers of their own; the first is the administrator's."""

    def __init__(self, clock: Clock, happened: Event) -> None:
        self._clock = clock
        self._happened = happened
        self._ids = count(1)
        self.accounts: dict[int, Account] = {}
        self.writes = 0
        """How often accounts were written over REST."""
        self.add_user("admin@shop.example", role="administrator")

    # What people do in the shop

    def register(self, email: str, **members: str) -> Account:
        """A buyer registers, by the form or at the checkout, or staff enter one over REST.

        Raises:
            RestError: 400 `registration-error-email-exists` or `registration-error-invalid-email`.
        """
        if _EMAIL.fullmatch(email) is None:
            raise RestError(400, "registration-error-invalid-email")
        if self._taken(email):
            raise RestError(400, "registration-error-email-exists")
        account = self.add_user(email, **members)
        account.changed_at = account.registered_at
        self._happened("customer.created", account.id)
        self._happened("customer.updated", account.id)
        return account

    def add_user(self, email: str, *, role: str = "customer", **members: str) -> Account:
        """As WordPress or an importer makes one, without WooCommerce's hearing of it."""
        username = email.partition("@")[0]
        account = Account(next(self._ids), email, username, self._clock(), role=role)
        for name, text in members.items():
            setattr(account, name, text)
        self.accounts[account.id] = account
        return account

    def edit_details(self, account: Account, **members: str) -> None:
        """The buyer changes name or e-mail address in `Account details`: the address for bills goes with them.

        Raises:
            RestError: another account has the e-mail address.
        """
        if members.get("email", account.email) != account.email and self._taken(members["email"]):
            raise RestError(400, "registration-error-email-exists")
        for name, text in members.items():
            if getattr(account, name) != text:
                setattr(account, name, text)
                account.billing[name] = text
        self.save(account)

    def edit_address(self, account: Account, kind: str, **members: str) -> None:
        """The buyer changes `billing` or `shipping` in the address book."""
        self.address_of(account, kind).update(members)
        self.save(account)

    def delete(self, account: Account) -> None:
        """Announced for the role `customer` alone."""
        if account.role == "customer":
            self._happened("customer.deleted", account.id)
        del self.accounts[account.id]

    # What the shop does

    @staticmethod
    def address_of(account: Account, kind: str) -> dict[str, str]:
        return account.billing if kind == "billing" else account.shipping

    def save(self, account: Account) -> None:
        """Announced whether or not anything differs, and whosever account it is."""
        account.changed_at = self._clock()
        self._happened("customer.updated", account.id)

    def update(self, account: Account, changes: Json) -> None:
        """Over REST: each member that is sent is set, and no other; all or nothing.

        Raises:
            RestError: 400 `rest_invalid_param` for what is no text and for an e-mail address that is none, a blank one
                too; 400 `woocommerce_rest_customer_invalid_email` for one that is taken, whatever its case.
        """
        self._require_valid(changes)
        if "email" in changes and changes["email"] != account.email and self._taken(changes["email"]):
            raise RestError(400, "woocommerce_rest_customer_invalid_email")
        self.writes += 1
        self._set(account, changes)
        self.save(account)

    def create(self, wanted: Json) -> Account:
        """Over REST. Raises as `register` and `update` do."""
        self._require_valid(wanted)
        account = self.register(str(wanted.get("email", "")))
        self._set(account, wanted)
        return account

    def _set(self, account: Account, changes: Json) -> None:
        for name in ("email", "first_name", "last_name"):
            if name in changes:
                setattr(account, name, " ".join(changes[name].split()))
        for kind in ("billing", "shipping"):
            address = self.address_of(account, kind)
            address.update({name: text for name, text in changes.get(kind, {}).items() if name in address})

    def _taken(self, email: str) -> bool:
        """As the database compares: case makes no difference, and the account's own counts as well."""
        return any(each.email.casefold() == email.casefold() for each in self.accounts.values())

    @staticmethod
    def _require_valid(changes: Json) -> None:
        for name in ("email", "first_name", "last_name"):
            if name in changes and not _valid(name, changes[name]):
                raise _invalid(name)
        for kind in ("billing", "shipping"):
            members = changes.get(kind, {})
            if not isinstance(members, dict) or not all(_valid(name, text) for name, text in members.items()):
                raise _invalid(kind)


class CustomerRoutes:
    """Answers requests about customers."""

    def __init__(self, customers: Customers) -> None:
        self._customers = customers
        self.listed = True
        """Whether our key's user may list users."""
        self.batches = True
        """Whether our key's user may change many at once: an administrator may, a shop manager may not."""

    def table(self) -> Iterator[CustomerRoute]:
        yield "GET", "/customers", self._list
        yield "POST", "/customers", self._create
        yield "GET", "/customers/#", lambda _, ids: answer(self.account(*ids).body())
        yield "PUT", "/customers/#", self._update
        yield "POST", "/customers/#", self._update  # WordPress takes either for an update
        yield "DELETE", "/customers/#", self._delete

    def account(self, account_id: int) -> Account:
        if account_id not in self._customers.accounts:
            raise RestError(404, "wc_user_invalid_id")
        return self._customers.accounts[account_id]

    def _list(self, request: Request, _: tuple[int, ...]) -> Answer:
        """By name and of the role `customer`, unless told otherwise. No time filters: what WordPress does not know, it
        does not look at."""
        if not self.listed:
            raise RestError(403, "woocommerce_rest_cannot_view")
        query = request.query
        role, order_by = query.get("role", "customer"), query.get("orderby", "name")
        if order_by not in _ORDERS:
            raise invalid_parameter("orderby")
        found = [each for each in self._customers.accounts.values() if role in ("all", each.role)]
        found.sort(key=_ORDERS[order_by], reverse=query.get("order", "asc") == "desc")
        return page_of(found, query, Account.body)

    def _create(self, request: Request, _: tuple[int, ...]) -> Answer:
        return answer(self._customers.create(request.body).body(), 201)

    def _update(self, request: Request, ids: tuple[int, ...]) -> Answer:
        account = self.account(*ids)
        self._customers.update(account, request.body)
        return answer(account.body())

    def _delete(self, request: Request, ids: tuple[int, ...]) -> Answer:
        account = self.account(*ids)
        if request.query.get("force") != "true":
            raise RestError(501, "woocommerce_rest_trash_not_supported")
        self._customers.delete(account)
        return answer(account.body())


def _valid(name: str, value: object) -> bool:
    """Text; null is none. A blank e-mail address has not the format of one."""
    return isinstance(value, str) and (name != "email" or _EMAIL.fullmatch(value) is not None)


def _invalid(member: str) -> RestError:
    return invalid_parameter(member, params={member: "Invalid."})


def buyer_members(buyer: Account) -> Json:
    """What an order says of who bought."""
    return {
        "customer_id": buyer.id,
        "billing": buyer.billing | {"email": buyer.billing["email"] or buyer.email},
        "shipping": dict(buyer.shipping),
    }
