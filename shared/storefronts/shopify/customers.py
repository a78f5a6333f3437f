"""The customers of one Shopify shop, through the Admin GraphQL API.

There is no idempotency key for any of these mutations, so before a write the shop is asked what it shows, and only
what is different is told. Errors of a mutation carry no code: they are told apart by the field that they name.
What we write comes back as `customers/update`, like any other change.
Source: shopify.dev, `Customer`, `customerUpdate`, `customerAddressUpdate`, `customerAddressCreate`, and the published
Admin schema 2026-10; that the search by `updated_at` knows whole days only stands in the schema's own description.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import httpx

from shared.customers.models import Profile, ProfileField
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock, as_sortable, parse_time
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Change, ChangePage, Credentials
from shared.storefronts.shopify.customer_edit import FIELD_OF, account_input, address_field, address_input
from shared.storefronts.shopify.customer_query import (
    CHANGED_CUSTOMERS,
    CREATE_ADDRESS,
    CUSTOMER,
    SHOWN,
    UPDATE,
    UPDATE_ADDRESS,
    webhook_shape,
)
from shared.storefronts.shopify.fetching import (
    SEARCH_LAG,
    canonical,
    changed_meanwhile,
    fetch_whole,
    found_in,
    in_search,
)
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi, Node
from shared.webhooks.delivery import Delivery

_SCOPES: Final = "read_customers, write_customers, read_customer_merge"
_GID: Final = re.compile(r"gid://shopify/Customer/([0-9]{1,20})")
_REASONS: Final = (
    ("taken", "another account of the shop has it"),
    ("invalid", "the shop does not take it for a valid one"),
    ("blank", "the shop wants a value here"),
    ("too long", "it is longer than the shop takes"),
)
"""What Shopify's messages speak of. They are not passed on: they may quote the person."""
_WHOSE: Final = frozenset({"id", "customerId"})


@misfits_are(odd_answer)
class ShopifyCustomers:
    """A `CustomerRegister`. `address` is the shop's own (`name.myshopify.com`), `shop` its name in the settings.

    The app needs the scopes `read_customers` and `write_customers` (`read_customer_merge` to be told of merges), and
    Shopify's approval for protected customer data: without it what is personal is withheld.
    """

    def __init__(
        self,
        shop: str,
        address: str,
        credentials: Credentials,
        http: httpx.Client,
        clock: Clock,
        *,
        api_version: str = API_VERSION,
    ) -> None:
        self._shop = shop
        self._api = AdminApi(address, credentials, http, api_version, scopes=_SCOPES)
        self._clock = clock
        self._api_version = api_version

    def fetch(self, customer_id: str) -> Delivery | None:
        """The whole customer as it is now, in the webhook's shape; None when the shop has no such customer.

        The account counts as made when the first question was put, as an order's does.

        Raises:
            Retry: `storefront_unreachable`, `storefront_throttled`, `storefront_failed`; `customer_changed` when the
                customer changed between two pages.
            Rejected: `api_access` for refused credentials or missing scopes, `api_error` for anything else.
        """
        received_at = as_sortable(self._clock())
        customer = fetch_whole(self._api, CUSTOMER, _gid(customer_id))
        if customer is None:
            return None
        return Delivery(
            shop=self._shop,
            platform="shopify",
            topic="customers/update",
            received_at=received_at,
            body=canonical(webhook_shape(customer)),
            api_version=self._api_version,
            fetched=True,
        )

    def changed(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """Customers by the time of their last change.

        Shopify searches them by whole days, so its list begins with the day and goes on to the present: pages before
        the period are empty, and the first page that leads beyond it is the last.

        Raises:
            Retry, Rejected: as `fetch`.
        """
        begin = since - SEARCH_LAG
        query = f"updated_at:>='{in_search(begin)}'"
        found = found_in(self._api, CHANGED_CUSTOMERS, {"query": query, "after": cursor})
        if found is None:
            raise Retry("storefront_failed", "the shop's answer holds no list of customers")
        listed = [change for node in found["nodes"] if (change := _change(node))]
        page = found["pageInfo"]
        ends = not page["hasNextPage"] or (bool(listed) and listed[-1].changed_at > until)
        changes = tuple(change for change in listed if begin <= change.changed_at <= until)
        return ChangePage(changes, None if ends else page["endCursor"])

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        """Have the shop show these fields (a `CustomerRegister`).

        Shopify has one usual address for invoices and deliveries: where both are named, the one for deliveries is
        written. It is also where the company lives, so there is none without an address. The name, telephone number
        and company of the address stay where the given address has none. A usual address cannot be taken away.

        A field that the shop refuses keeps no other from being written; the first refusal is raised in the end.

        Raises:
            Retry: as `fetch`; `storefront_outcome_unknown`.
            Rejected: `api_access`, `api_error`, `unknown_customer`, `customer_refused`.
        """
        shown = found_in(self._api, SHOWN, {"id": _gid(customer_id)})
        if shown is None:
            raise _unknown_customer()
        refusals = [
            *self._write_account(customer_id, account_input(profile, fields, shown)),
            *self._write_address(customer_id, profile, fields, shown["address"]),
        ]
        if refusals:
            raise refusals[0]

    def _write_account(self, customer_id: str, parts: Node) -> Iterator[Rejected]:
        """Shopify takes all of an input or nothing of it: what it refuses is left out, and the rest sent again."""
        while parts:
            errors = self._change(UPDATE, {"input": {"id": _gid(customer_id), **parts}})
            if not errors:
                return
            sent = dict.fromkeys(FIELD_OF[name] for name in parts)
            refused = [field for field in sent if _about(field, errors)] or list(sent)
            for field in refused:
                yield _refused(field, _about(field, errors) or errors)
            parts = {name: value for name, value in parts.items() if FIELD_OF[name] not in refused}

    def _write_address(
        self, customer_id: str, profile: Profile, fields: frozenset[ProfileField], shown: Node | None
    ) -> Iterator[Rejected]:
        field = address_field(profile, fields)
        address = address_input(profile, fields, shown)
        if not address:
            return
        if shown is None and field is None:
            if profile.company:
                yield _refused(ProfileField.COMPANY, (), "the shop keeps a company with an address, and there is none")
            return
        country = address.get("countryCode")
        if country is not None and re.fullmatch(r"[A-Z]{2}", country) is None:
            yield _refused(field or ProfileField.COMPANY, (), "its country is no code of two letters")
            return
        customer = {"customer": _gid(customer_id), "address": address}
        if shown is None:
            errors = self._change(CREATE_ADDRESS, customer)
        else:
            errors = self._change(UPDATE_ADDRESS, {**customer, "id": shown["id"]})
        if errors:
            yield _refused(_part_of_address(errors, field, fields), errors)

    def _change(self, document: str, variables: Mapping[str, object]) -> Sequence[Node]:
        """The mutation's user errors, but for those that say that what is to be changed is gone."""
        try:
            result = self._api.ask(document, variables).get("result")
        except Retry as error:
            if error.code == "storefront_throttled":
                raise
            raise _outcome_unknown() from error
        if not isinstance(result, dict):
            raise _outcome_unknown()
        errors: Sequence[Node] = result["userErrors"]
        at = {_last_step(error) for error in errors}
        if at & _WHOSE:
            raise _unknown_customer()
        if "addressId" in at:
            raise changed_meanwhile("customer")
        return errors


def _gid(customer_id: str) -> str:
    return f"gid://shopify/Customer/{customer_id}"


def _change(node: Node) -> Change | None:
    gid = _GID.fullmatch(node["admin_graphql_api_id"])
    if gid is None:
        return None
    changed, created = (parse_time(node[name], field=name) for name in ("updated_at", "created_at"))
    return Change(gid[1], changed, created)


def _last_step(error: Node) -> str:
    """`field` leads to the input: `["input", "email"]`; null where the customer as a whole is at fault."""
    return str((error.get("field") or [""])[-1])


def _about(field: ProfileField, errors: Sequence[Node]) -> Sequence[Node]:
    return [error for error in errors if FIELD_OF.get(_last_step(error)) is field]


def _part_of_address(
    errors: Sequence[Node], field: ProfileField | None, fields: Collection[ProfileField]
) -> ProfileField:
    company = ProfileField.COMPANY
    if field is None or (company in fields and all(_last_step(error) == "company" for error in errors)):
        return company
    return field


def _refused(field: ProfileField, errors: Sequence[Node], reason: str | None = None) -> Rejected:
    said = " ".join(str(error.get("message")) for error in errors).lower()
    found = reason or next((words for word, words in _REASONS if word in said), "the shop does not take it")
    return Rejected("customer_refused", found, field=field, hint="compare both sides, and correct one of them")


def _unknown_customer() -> Rejected:
    return Rejected("unknown_customer", "the shop has no such customer", field="customer_id")


def _outcome_unknown() -> Retry:
    return Retry("storefront_outcome_unknown", "the shop may have done it, and did not say")
