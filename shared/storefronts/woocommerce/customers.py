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
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock, as_sortable, parse_time
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.http import odd_answer
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
from shared.webhooks.delivery import Delivery

PAGE: Final = 50
OVERLAP: Final = 5
"""How far a page reaches back into the one before: an account that is deleted meanwhile moves the others up, and those
of one second stand in no order."""

_SECOND: Final = timedelta(seconds=1)
"""WooCommerce's dates know no less."""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CUSTOMER_ID: Final = re.compile(r"[1-9][0-9]{0,19}")
_CURSOR: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,12}):([1-9][0-9]{0,19})")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
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


class _Place(NamedTuple):
    """How far a list of accounts, the first registered first, has been read. New ones come at its end."""

    offset: int
    read_until: int = 0
    """When the last one that was read registered, in seconds since 1970 …"""
    last: str = "0"
    """… and its id."""

    @classmethod
    def parse(cls, cursor: str) -> "_Place":
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise Rejected("invalid_cursor", "the cursor is not one of a list of customers", field="cursor")
        return cls(int(found[1]), int(found[2]), found[3])

    def __str__(self) -> str:
        return f"{self.offset}:{self.read_until}:{self.last}"

    def is_ahead_of(self, account: _Listed) -> bool:
        return account.change.id != self.last and int(account.registered_at.timestamp()) >= self.read_until

    def after(self, last: _Listed) -> "_Place":
        return _Place(self.offset + PAGE - OVERLAP, int(last.registered_at.timestamp()), last.change.id)


@misfits_are(odd_answer)
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
        """Customers who registered within the period, the first one first, each with its last change.

        WooCommerce lists accounts by name, id or registration, and filters by none of their times: one that was changed
        later than it registered is not found here, and where the period begins is looked for from the newest backwards.
        Source: `WC_REST_Customers_V1_Controller::get_collection_params`.

        Raises:
            Retry, Rejected: as the port says; `invalid_cursor`.
        """
        first = since - _SECOND
        place = _Place.parse(cursor) if cursor is not None else _Place(self._offset_of(first))
        response = self._listed({"order": "asc", "per_page": str(PAGE), "offset": str(place.offset)})
        listed = _accounts(response)
        found = (each for each in listed if place.is_ahead_of(each) and first <= each.registered_at <= until)
        changed = tuple(each.change for each in found if each.is_customer)
        ended = place.offset + PAGE >= _total(response) or not listed or listed[-1].registered_at > until
        return ChangePage(changed, None if ended else str(place.after(listed[-1])))

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        """Have the account show these fields (see the port): read it, and write only what it shows otherwise.

        WooCommerce keeps no language for its customers, so there is nothing to write of that one. The telephone number
        and the company are those of the address for bills: they go with `PHONE` and `COMPANY`; `BILLING` sets the
        company where the address names one, and takes neither away. When one field is refused, the others are written
        all the same, and the first refusal is raised in the end. An account of the shop's staff is no customer.
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

    def _offset_of(self, first: datetime) -> int:
        """Where to begin so that nobody who registered since then is passed over, nor many others are read."""
        back = PAGE
        while True:
            response = self._listed({"order": "desc", "per_page": "1", "offset": str(back)})
            found = _accounts(response)
            total = _total(response)
            if back >= total or not found or found[0].registered_at < first:
                return max(0, total - back)
            back *= 2

    def _listed(self, params: Mapping[str, str]) -> httpx.Response:
        fields = "id,role,date_created_gmt,date_modified_gmt"
        common = {"role": "all", "orderby": "registered_date", "_fields": fields}
        return require_ok(self._rest.get("/customers", {**common, **params}))

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


def _accounts(response: httpx.Response) -> list[_Listed]:
    body = json_body(response)
    if not isinstance(body, list):
        raise unexpected("the shop answers with something other than a list of customers")
    return [_Listed.of(read(Customer, account)) for account in body]


def _total(response: httpx.Response) -> int:
    text = response.headers.get("X-WP-Total", "")
    if _COUNT.fullmatch(text) is None:
        raise unexpected("the shop does not count its customers")
    return int(text)


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
