"""A shop's accounts in memory: the register of its customers, in canonical words, and what buyers do there."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.customers.models import Customer, Profile, ProfileField
from shared.kernel.clock import Clock, as_sortable
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey
from shared.kernel.versions import Version
from tests.builders.customers import customer, profile


class FakeAccounts:
    """One shop. `interrupt(method, when)` is called `before` and `after` a call took effect, and may raise.

    Times of change are whole seconds, as storefronts state them. `told` gets the account after every change, as a
    webhook has it, whoever made the change.
    """

    def __init__(self, shop: str, clock: Clock) -> None:
        self.shop = shop
        self.clock = clock
        self.interrupt: Callable[[str, str], None] = lambda _method, _when: None
        self.told: Callable[[Customer], None] = lambda _account: None
        self.accounts: dict[str, Customer] = {}
        self.refuses: dict[ProfileField, str] = {}
        """Values that the shop does not take, by field."""
        self.has_one_address = False
        """As Shopify: the usual address is the one for invoices and for deliveries; of two the latter counts."""
        self.fetches = 0
        self.writes: list[tuple[str, frozenset[ProfileField]]] = []

    # ---- what we ask ----

    def fetch(self, customer_id: str) -> Customer | None:
        self.interrupt("fetch", "before")
        self.fetches += 1
        account = self.accounts.get(customer_id)
        return self._stated(account, fetched=True) if account else None

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        self.interrupt("write", "before")
        self.writes.append((customer_id, fields))
        if customer_id not in self.accounts:
            raise Rejected("unknown_customer", "there is no such account")
        for what in sorted(fields):
            if what in self.refuses and getattr(profile, what.value, None) == self.refuses[what]:
                raise Rejected("customer_refused", "the shop does not take it", field=what.value)
        changes = _written(profile, fields)
        if self.has_one_address and {"billing", "shipping"} & changes.keys():
            changes["billing"] = changes["shipping"] = changes.get("shipping", changes.get("billing"))
        self._change(customer_id, **changes)
        self.interrupt("write", "after")

    # ---- what buyers do ----

    def register(self, customer_id: str, **fields: Any) -> Customer:
        key = CustomerKey.of_account(self.shop, customer_id)
        self.accounts[customer_id] = customer(str(key), personal=profile(**fields), updated_at=self._second())
        return self._tell(customer_id)

    def edit(self, customer_id: str, **fields: Any) -> Customer:
        self._change(customer_id, **fields)
        return self.stated(customer_id)

    def delete(self, customer_id: str) -> None:
        del self.accounts[customer_id]

    def personal(self, customer_id: str) -> Profile:
        return self.accounts[customer_id].personal

    def stated(self, customer_id: str) -> Customer:
        """The account as a webhook has it."""
        return self._stated(self.accounts[customer_id], fetched=False)

    # ---- within ----

    def _change(self, customer_id: str, **fields: Any) -> None:
        account = self.accounts[customer_id]
        personal = account.personal.model_copy(update=fields)
        if personal != account.personal:
            self.accounts[customer_id] = account.model_copy(update={"personal": personal, "updated_at": self._second()})
            self._tell(customer_id)

    def _tell(self, customer_id: str) -> Customer:
        account = self.stated(customer_id)
        self.told(account)
        return account

    def _second(self) -> Any:
        return self.clock().replace(microsecond=0)

    def _stated(self, account: Customer, *, fetched: bool) -> Customer:
        version = Version(
            updated_at=as_sortable(account.updated_at),
            observed_at=as_sortable(self.clock() + timedelta(milliseconds=1)),
            body_sha256=hashlib.sha256(f"{fetched}{account.personal.model_dump_json()}".encode()).hexdigest(),
            fetched=fetched,
        )
        return account.model_copy(update={"version": version})


def _written(profile: Profile, fields: frozenset[ProfileField]) -> dict[str, Any]:
    """As the registers of Shopify and WooCommerce do: an address is changed in place, an e-mail is never cleared."""
    plain = fields - {ProfileField.NAME}
    changes = {what.value: getattr(profile, what.value) for what in plain}
    if changes.get("email", "") is None:
        del changes["email"]
    if ProfileField.NAME in fields:
        changes["first_name"], changes["last_name"] = profile.first_name, profile.last_name
    return changes
