"""How a Shopify shop that is not there keeps its customers: what buyers and staff do, what the API is asked, and the
webhooks that follow.

Customers are kept in the webhook's REST shape, with what only GraphQL and the topics of consents tell beside it. What
the mutations refuse is as shops are known to: an e-mail address or a telephone number that another account has, one
that is none, a customer with neither a name nor any address. Their words are Shopify's, for it gives no codes. An
address in the book is changed in the parts that are named.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from infra.fakes.shopify_search import customers_changed
from infra.samples.shopify import gid
from shared.kernel.clock import Clock

Json = dict[str, Any]

_NOT_IN_WEBHOOKS: Final = frozenset({"locale", "tags", "email_marketing_consent", "sms_marketing_consent"})
"""Not since API version 2025-01."""
_INPUT: Final[Mapping[str, str]] = {
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "phone": "phone",
    "locale": "locale",
    "note": "note",
}
_ADDRESS_INPUT: Final[Mapping[str, str]] = {
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "provinceCode": "province_code",
    "zip": "zip",
    "countryCode": "country_code",
    "phone": "phone",
}
_COUNTRIES: Final = {"AT": "Austria", "CN": "China", "DE": "Germany", "FR": "France", "NL": "Netherlands"}
_PHONE: Final = re.compile(r"\+?[0-9]{6,15}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NO_CONSENT: Final = {"state": "not_subscribed", "opt_in_level": None, "consent_updated_at": None}


class Refused(Exception):
    """The shop does not take it. The second argument is the input's last step, or None."""


class Caused(NamedTuple):
    """A webhook that waits to be sent."""

    topic: str
    body: Json
    """As it was at the time: Shopify does not build it later."""


@dataclass
class Customers:
    """The shop's customers, by number. `numbers` are the shop's, for whatever it creates."""

    clock: Clock
    numbers: Iterator[int]
    address: str = "aurora.myshopify.com"
    """How the shop names itself in calls for privacy."""
    kept: dict[str, Json] = field(default_factory=dict)
    caused: list[Caused] = field(default_factory=list)
    writes: int = 0
    """How often a customer was changed by the API."""

    def roots(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "customer": lambda _info, id: self._found(id),  # noqa: A006 - the argument's name
            "customers": lambda _info, **arguments: customers_changed(
                [_in_graphql(each) for each in self.kept.values()], arguments
            ),
            "customerAddressCreate": self._create_address,
            "customerAddressUpdate": self._update_address,
            "customerUpdate": self._update,
        }

    # What buyers and staff do

    def register(self, *, address: Json | None = None, **fields: Any) -> str:
        """A buyer registers, with any of the webhook's fields; the customer's number.

        Raises:
            Refused: the shop does not take it.
        """
        number = next(self.numbers)
        now = self._now()
        customer: Json = {
            "id": number,
            "admin_graphql_api_id": gid("Customer", number),
            "created_at": now,
            "updated_at": now,
            **dict.fromkeys(("first_name", "last_name", "note", "multipass_identifier", "email", "phone")),
            "state": "enabled",
            "verified_email": True,
            "tax_exempt": False,
            "currency": "EUR",
            "addresses": [],
            "tax_exemptions": [],
            "default_address": None,
            "locale": "en",
            "tags": [],
            "email_marketing_consent": dict(_NO_CONSENT),
            "sms_marketing_consent": dict(_NO_CONSENT),
        }
        customer |= self._accepted(customer, fields)
        self.kept[str(number)] = customer
        if address is not None:
            self._add_address(customer, address)
        self._tell("customers/create", customer)
        return str(number)

    def edit(self, number: str, *, address: Json | None = None, **fields: Any) -> None:
        """A buyer or staff change the account, or parts of its usual address. What is the same changes nothing."""
        customer = self.kept[number]
        before = deepcopy(customer)
        customer |= self._accepted(customer, fields)
        if address is not None:
            usual = customer["default_address"]
            if usual is None:
                self._add_address(customer, address)
            else:
                self._change_address(customer, usual, address)
        self._changed(customer, before)

    def move_in(self, number: str, address: Json) -> None:
        """A buyer adds another address to the book, beside the usual one."""
        customer = self.kept[number]
        before = deepcopy(customer)
        self._add_address(customer, address, default=False)
        self._changed(customer, before)

    def switch(self, number: str, state: str) -> None:
        """Staff enable or disable the account."""
        customer = self.kept[number]
        customer |= {"state": state, "updated_at": self._now()}
        self._tell("customers/enable" if state == "enabled" else "customers/disable", customer)

    def agree(self, number: str, state: str, *, channel: str = "email") -> None:
        """A buyer says whether marketing may be sent: `subscribed`, `unsubscribed`."""
        customer = self.kept[number]
        now = self._now()
        consent = {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": now}
        customer |= {f"{channel}_marketing_consent": consent, "updated_at": now}
        if channel == "email":
            body = {"customer_id": customer["id"], "email_address": customer["email"]}
            self.caused.append(
                Caused("customers_email_marketing_consent/update", {**body, "email_marketing_consent": dict(consent)})
            )
        else:
            body = {"id": customer["id"], "phone": customer["phone"]}
            told = {**consent, "consent_collected_from": "other"}
            self.caused.append(Caused("customers_marketing_consent/update", {**body, "sms_marketing_consent": told}))

    def delete(self, number: str) -> None:
        customer = self.kept.pop(number)
        body = {name: customer[name] for name in ("id", "tax_exemptions", "admin_graphql_api_id")}
        self.caused.append(Caused("customers/delete", body))

    def merge(self, *, kept: str, gone: str) -> None:
        """Staff make one account of two. What the one that is left does not know it takes from the other."""
        left, other = self.kept[kept], self.kept.pop(gone)
        before = deepcopy(left)
        for name in ("first_name", "last_name", "phone", "note"):
            left[name] = left[name] or other[name]
        for address in other["addresses"]:
            self._add_address(left, address, default=False)
        body = {
            "admin_graphql_api_customer_kept_id": left["admin_graphql_api_id"],
            "admin_graphql_api_customer_deleted_id": other["admin_graphql_api_id"],
            "admin_graphql_api_job_id": gid("Job", next(self.numbers)),
            "status": "completed",
            "errors": [],
        }
        self.caused.append(Caused("customers/merge", body))
        self._changed(left, before)

    def ask_for_privacy(self, number: str, *, erase: bool, orders: tuple[int, ...] = ()) -> None:
        """A customer, whom the shop may not have any more, wants to see or to have erased what is kept."""
        customer = self.kept.get(number, {})
        person = {"id": int(number), "email": customer.get("email"), "phone": customer.get("phone")}
        call: Json = {"shop_id": 954889, "shop_domain": self.address, "customer": person}
        if erase:
            self.caused.append(Caused("customers/redact", {**call, "orders_to_redact": list(orders)}))
        else:
            asked = {"orders_requested": list(orders), "data_request": {"id": next(self.numbers)}}
            self.caused.append(Caused("customers/data_request", {**call, **asked}))

    def leave(self) -> None:
        """The merchant has uninstalled our app two days ago."""
        self.caused.append(Caused("shop/redact", {"shop_id": 954889, "shop_domain": self.address}))

    def body(self, number: str) -> Json:
        """The customer as a webhook would state it now."""
        return _webhook_body(self.kept[number])

    def take_webhooks(self) -> list[Caused]:
        """Those that wait, oldest first."""
        caused, self.caused = self.caused, []
        return caused

    # What the API is asked

    def _found(self, global_id: str) -> Json | None:
        customer = self.kept.get(global_id.removeprefix(gid("Customer", "")))
        return None if customer is None else _in_graphql(customer)

    def _update(self, _info: Any, input: Json) -> Json:  # noqa: A002 - the argument's name
        customer = self.kept.get(input["id"].removeprefix(gid("Customer", "")))
        if customer is None:
            return {"customer": None, "userErrors": [_error("Customer does not exist", "id")]}
        before = deepcopy(customer)
        try:
            customer |= self._accepted(customer, {_INPUT[name]: value for name, value in input.items() if name != "id"})
        except Refused as refusal:
            return {"customer": None, "userErrors": [_error(*refusal.args)]}
        self.writes += 1
        self._changed(customer, before)
        return {"customer": _in_graphql(customer), "userErrors": []}

    def _create_address(self, _info: Any, *, customerId: str, address: Json, setAsDefault: bool = False) -> Json:  # noqa: N803 - the arguments' names
        customer = self.kept.get(customerId.removeprefix(gid("Customer", "")))
        if customer is None:
            return {"address": None, "userErrors": [_error("Customer does not exist", "customerId")]}
        before = deepcopy(customer)
        try:
            made = self._add_address(customer, _from_input(address), default=setAsDefault)
        except Refused as refusal:
            return {"address": None, "userErrors": [_error(refusal.args[0], "address", refusal.args[1])]}
        self.writes += 1
        self._changed(customer, before)
        return {"address": _address_in_graphql(made), "userErrors": []}

    def _update_address(self, _info: Any, *, customerId: str, addressId: str, address: Json) -> Json:  # noqa: N803 - the arguments' names
        customer = self.kept.get(customerId.removeprefix(gid("Customer", "")))
        if customer is None:
            return {"address": None, "userErrors": [_error("Customer does not exist", "customerId")]}
        entry = next((each for each in customer["addresses"] if _address_gid(each) == addressId), None)
        if entry is None:
            return {"address": None, "userErrors": [_error("Address does not exist", "addressId")]}
        before = deepcopy(customer)
        try:
            self._change_address(customer, entry, _from_input(address))
        except Refused as refusal:
            return {"address": None, "userErrors": [_error(refusal.args[0], "address", refusal.args[1])]}
        self.writes += 1
        self._changed(customer, before)
        return {"address": _address_in_graphql(entry), "userErrors": []}

    # What the shop takes

    def _accepted(self, customer: Json, fields: Json) -> Json:
        """The fields as the shop keeps them, or the first refusal."""
        taken = dict(fields)
        if taken.get("email") is not None:
            if _EMAIL.fullmatch(taken["email"]) is None:
                raise Refused("Email is invalid", "email")
            if self._has_another(customer, "email", taken["email"]):
                raise Refused("Email has already been taken", "email")
        if taken.get("phone") is not None:
            taken["phone"] = _dialled(taken["phone"])
            if _PHONE.fullmatch(taken["phone"]) is None:
                raise Refused("Phone is invalid", "phone")
            if self._has_another(customer, "phone", taken["phone"]):
                raise Refused("Phone has already been taken", "phone")
        known = {**customer, **taken}
        if not any(known.get(name) for name in ("first_name", "last_name", "email", "phone")):
            raise Refused("Customer must have a name, phone number or email address", None)
        return taken

    def _has_another(self, customer: Json, name: str, value: str) -> bool:
        others = (each for each in self.kept.values() if each["id"] != customer["id"])
        return any((each[name] or "").casefold() == value.casefold() for each in others)

    def _add_address(self, customer: Json, parts: Json, *, default: bool = True) -> Json:
        entry: Json = {
            "id": next(self.numbers),
            "customer_id": customer["id"],
            **dict.fromkeys((*_ADDRESS_INPUT.values(), "name", "province", "country", "country_name")),
            "default": False,
        }
        self._check_address(parts)
        entry |= {name: value for name, value in parts.items() if name in _ADDRESS_INPUT.values()}
        _complete(entry)
        customer["addresses"].append(entry)
        if default or customer["default_address"] is None:
            _make_usual(customer, entry)
        return entry

    def _change_address(self, customer: Json, entry: Json, parts: Json) -> None:
        self._check_address(parts)
        known = next(each for each in customer["addresses"] if each["id"] == entry["id"])
        known |= {name: value for name, value in parts.items() if name in _ADDRESS_INPUT.values()}
        _complete(known)
        if known["default"]:
            _make_usual(customer, known)

    def _check_address(self, parts: Json) -> None:
        if parts.get("phone") and _PHONE.fullmatch(_dialled(parts["phone"])) is None:
            raise Refused("Phone is invalid", "phone")
        if parts.get("country_code") == "US" and not parts.get("province_code"):
            raise Refused("Province is not valid in United States", "provinceCode")

    def _changed(self, customer: Json, before: Json) -> None:
        if customer != before:
            customer["updated_at"] = self._now()
            self._tell("customers/update", customer)

    def _tell(self, topic: str, customer: Json) -> None:
        self.caused.append(Caused(topic, _webhook_body(customer)))

    def _now(self) -> str:
        return self.clock().replace(microsecond=0).isoformat()


def _webhook_body(customer: Json) -> Json:
    return deepcopy({name: value for name, value in customer.items() if name not in _NOT_IN_WEBHOOKS})


def _dialled(phone: str) -> str:
    return re.sub(r"[\s().-]", "", phone)


def _complete(entry: Json) -> None:
    """What the shop adds to an address by itself."""
    code = entry["country_code"]
    country = _COUNTRIES.get(code, code)
    name = " ".join(part for part in (entry["first_name"], entry["last_name"]) if part)
    entry |= {"country": country, "country_name": country, "name": name or None}
    entry["province"] = entry["province_code"]
    if entry["phone"]:
        entry["phone"] = _dialled(entry["phone"])


def _make_usual(customer: Json, entry: Json) -> None:
    for each in customer["addresses"]:
        each["default"] = each["id"] == entry["id"]
    customer["default_address"] = dict(entry, default=True)


def _from_input(address: Json) -> Json:
    return {_ADDRESS_INPUT[name]: value for name, value in address.items()}


def _error(message: str, *field: str | None) -> Json:
    steps = [step for step in field if step]
    return {"field": steps or None, "message": message}


# In GraphQL's names


def _in_graphql(customer: Json) -> Json:
    email, phone = customer["email"], customer["phone"]
    return {
        "__typename": "Customer",
        "id": customer["admin_graphql_api_id"],
        "createdAt": customer["created_at"],
        "updatedAt": customer["updated_at"],
        **{name: customer[kept] for name, kept in _INPUT.items() if name not in {"email", "phone"}},
        "state": customer["state"],
        "tags": customer["tags"],
        "verifiedEmail": customer["verified_email"],
        "taxExempt": customer["tax_exempt"],
        "defaultEmailAddress": None if email is None else _email_in_graphql(email, customer["email_marketing_consent"]),
        "defaultPhoneNumber": None if phone is None else _phone_in_graphql(phone, customer["sms_marketing_consent"]),
        "defaultAddress": customer["default_address"] and _address_in_graphql(customer["default_address"]),
        "addressesV2": [_address_in_graphql(each) for each in customer["addresses"]],
    }


def _email_in_graphql(email: str, consent: Json) -> Json:
    return {
        "__typename": "CustomerEmailAddress",
        "emailAddress": email,
        "marketingState": consent["state"],
        "marketingOptInLevel": consent["opt_in_level"],
        "marketingUpdatedAt": consent["consent_updated_at"],
    }


def _phone_in_graphql(phone: str, consent: Json) -> Json:
    told = {
        "__typename": "CustomerSmsMarketingConsent",
        "state": "never_subscribed" if consent["state"] == "not_subscribed" else consent["state"],
        "optInLevel": consent["opt_in_level"],
        "updatedAt": consent["consent_updated_at"],
    }
    return {"__typename": "CustomerPhoneNumber", "phoneNumber": phone, "smsMarketingConsent": told}


def _address_in_graphql(entry: Json) -> Json:
    parts = {name: entry[kept] for name, kept in _ADDRESS_INPUT.items()}
    others = {name: entry[name] for name in ("name", "province", "country")}
    return {
        "__typename": "MailingAddress",
        "id": _address_gid(entry),
        **parts,
        **others,
        "countryCodeV2": entry["country_code"],
    }


def _address_gid(entry: Json) -> str:
    return f"{gid('MailingAddress', entry['id'])}?model_name=CustomerAddress"
