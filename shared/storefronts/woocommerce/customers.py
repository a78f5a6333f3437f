"""The customers of one WooCommerce shop, through its REST API v3.

A shop manager's key reads all accounts and changes those of the role `customer`; an administrator's changes
subscribers' too. Source: WooCommerce's REST API documentation, "Customers", and `WC_REST_Customers_V1_Controller` and
`wc_rest_check_user_permissions` of 10.0.2.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import httpx

from shared.customers.models import Profile, ProfileField
from shared.kernel.clock import Clock, as_sortable, parse_time
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.delivery import Delivery
from shared.storefronts.lenient import read
from shared.storefronts.port import Change, ChangePage, Credentials
from shared.storefronts.woocommerce.customer_changes import changes
from shared.storefronts.woocommerce.customer_schemas import Customer
from shared.storefronts.woocommerce.mapping import PLATFORM
from shared.storefronts.woocommerce.rest import (
    RestApi,
    error_code,
    json_body,
    require_ok,
    serialised,
    unexpected,
)

PAGE: Final = 50
OVERLAP: Final = 5
"""How far a page reaches back into the one before: an account that is deleted meanwhile moves the others up, and those
of one second stand in no order."""

_SECOND: Final = timedelta(seconds=1)
"""WooCommerce's dates know no less."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CUSTOMER_ID: Final = re.compile(r"[1-9][0-9]{0,19}")
_CURSOR: Final = re.compile(r"[1-9][0-9]{0,8}")
_NO_SUCH_CUSTOMER: Final = frozenset({"wc_user_invalid_id", "woocommerce_rest_invalid_id"})
_REFUSED: Final = "customer_refused"
_EMAIL_REFUSED: Final = frozenset(
    {
        "registration-error-email-exists",
        "registration-error-invalid-email",
        "woocommerce_rest_customer_invalid_email",
        "customer_invalid_billing_email",
    }
)
_FIELDS_OF_MEMBERS: Final[Mapping[str, tuple[ProfileField, ...]]] = {
    "email": (ProfileField.EMAIL,),
    "first_name": (ProfileField.NAME,),
    "last_name": (ProfileField.NAME,),
    "billing": (ProfileField.EMAIL, ProfileField.BILLING, ProfileField.PHONE, ProfileField.COMPANY),
    "shipping": (ProfileField.SHIPPING,),
}
"""What may be wrong with a member that WooCommerce calls invalid, the likeliest first."""


class _Listed(NamedTuple):
    """An account in the list of all."""

    change: Change
    registered_at: datetime
    is_customer: bool

    @classmethod
    def of(cls, account: Customer) -> "_Listed":
        """One that does not say when it registered, as some importers leave it, counts as older than any."""
        created = account.date_created_gmt
        registered_at = parse_time(created, field="date_created_gmt") if created else _LONG_AGO
        changed = account.date_modified_gmt
        changed_at = parse_time(changed, field="date_modified_gmt") if changed else registered_at
        return cls(Change(account.id, changed_at, registered_at), registered_at, not account.is_staff)


class WooCommerceCustomers:
    """A `CustomerRegister`. `address` is the shop's own, `shop` its name in the settings."""

    def __init__(self, shop: str, address: str, credentials: Credentials, http: httpx.Client, clock: Clock) -> None:
        self._shop = shop
        self._rest = RestApi(address, credentials, http)
        self._clock = clock

    def fetch(self, customer_id: str) -> Delivery | None:
        """The account as it is now. `received_at` is the time before the request.

        Raises:
            Retry, Rejected: as the port says; `invalid_customer_id`.
        """
        asked_at = as_sortable(self._clock())
        customer = self._customer(customer_id)
        if customer is None:
            return None
        return Delivery(
            shop=self._shop,
            platform=PLATFORM,
            topic="customer.updated",
            received_at=asked_at,
            body=serialised(customer),
            fetched=True,
        )

    def changed(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        """Customers who registered within the period, the last one first, each with its last change.

        WooCommerce lists accounts by name, id or registration, and filters by none of their times: one that was changed
        later than it registered is not found here. Source: `WC_REST_Customers_V1_Controller::get_collection_params`.

        Raises:
            Retry, Rejected: as the port says; `invalid_cursor`.
        """
        offset = _offset(cursor)
        listed = self._registered(offset)
        within = tuple(each for each in listed if since - _SECOND <= each.registered_at <= until)
        found = tuple(each.change for each in within if each.is_customer)
        ended = len(listed) < PAGE or listed[-1].registered_at < since - _SECOND
        return ChangePage(found, None if ended else str(offset + PAGE - OVERLAP))

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        """Have the account show these fields (see the port): read it, and write only what it shows otherwise.

        WooCommerce keeps no language for its customers, so there is nothing to write of that one. The telephone number
        and the company are those of the address for bills: they go with `PHONE` and `COMPANY`, and the address sets
        them where it has any, but never takes them away. When one field is refused, the others are written all the
        same, and the first refusal is raised in the end. An account of the shop's staff is no customer.
        """
        shown = self._shown(customer_id)
        first: Rejected | None = None
        left = fields
        while members := changes(profile, left, shown):
            try:
                self._update(customer_id, members, _touched(profile, left, shown))
            except Rejected as refusal:
                if refusal.code != _REFUSED:
                    raise
                first = first or refusal
                accepted = frozenset(field for field in left if field != refusal.field)
                if accepted == left:
                    break
                left = accepted
            else:
                break
        if first is not None:
            raise first

    def _registered(self, offset: int) -> list["_Listed"]:
        params = {
            "role": "all",
            "orderby": "registered_date",
            "order": "desc",
            "per_page": str(PAGE),
            "offset": str(offset),
            "_fields": "id,role,date_created_gmt,date_modified_gmt",
        }
        body = json_body(require_ok(self._rest.get("/customers", params)))
        if not isinstance(body, list):
            raise unexpected("the shop answers with something other than a list of customers")
        return [_Listed.of(read(Customer, account)) for account in body]

    def _customer(self, customer_id: str) -> dict[str, Any] | None:
        if _CUSTOMER_ID.fullmatch(customer_id) is None:
            raise Rejected("invalid_customer_id", "a WooCommerce customer id is a positive number", field="customer_id")
        response = self._rest.get(f"/customers/{customer_id}")
        if _says_unknown(response):
            return None
        body = json_body(require_ok(response))
        if not isinstance(body, dict):
            raise unexpected("the shop answers with something other than a customer")
        return body

    def _shown(self, customer_id: str) -> Customer:
        body = self._customer(customer_id)
        shown = read(Customer, body) if body is not None else None
        if shown is None or shown.is_staff:
            raise _unknown_customer()
        return shown

    def _update(self, customer_id: str, members: Mapping[str, Any], fields: frozenset[ProfileField]) -> None:
        """WordPress takes a POST to a resource for its update, as it does a PUT."""
        try:
            response = self._rest.post(f"/customers/{customer_id}", members)
        except Retry as error:
            if error.code == "storefront_throttled":
                raise
            raise Retry("storefront_outcome_unknown", "the shop may have done it, and did not say") from error
        if _says_unknown(response):
            raise _unknown_customer()
        if response.status_code == HTTPStatus.BAD_REQUEST:
            raise _refused(response, fields)
        require_ok(response)


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if _CURSOR.fullmatch(cursor) is None:
        raise Rejected("invalid_cursor", "the cursor is not one of a list of customers", field="cursor")
    return int(cursor)


def _touched(profile: Profile, fields: frozenset[ProfileField], shown: Customer) -> frozenset[ProfileField]:
    """Those that something is written for."""
    return frozenset(field for field in fields if changes(profile, frozenset({field}), shown))


def _says_unknown(response: httpx.Response) -> bool:
    """Of a missing account: 404, or 400 where an older WooCommerce is to update it."""
    gone = (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST)
    return response.status_code in gone and error_code(response) in _NO_SUCH_CUSTOMER


def _unknown_customer() -> Rejected:
    return Rejected("unknown_customer", "the shop has no such customer", field="customer_id")


def _refused(response: httpx.Response, fields: frozenset[ProfileField]) -> Rejected:
    code = error_code(response)
    return Rejected(
        _REFUSED,
        f"the shop does not take the value ({code or 'no code'})",
        field=_field_at_fault(code, _invalid_members(response), fields),
        hint="another account has it, or WooCommerce calls it invalid: look at the account in the shop's admin",
    )


def _invalid_members(response: httpx.Response) -> list[str]:
    """Names of the members that WordPress calls invalid: `data.params` of `rest_invalid_param`."""
    body = json_body(response)
    data = body.get("data") if isinstance(body, dict) else None
    params = data.get("params") if isinstance(data, dict) else None
    return [str(name) for name in params] if isinstance(params, dict) else []


def _field_at_fault(code: str | None, members: list[str], fields: frozenset[ProfileField]) -> ProfileField | None:
    """None when the shop does not say, and more than one was written."""
    if code in _EMAIL_REFUSED:
        return ProfileField.EMAIL
    for member in members:
        for field in _FIELDS_OF_MEMBERS.get(member, ()):
            if field in fields:
                return field
    return next(iter(fields)) if len(fields) == 1 else None
