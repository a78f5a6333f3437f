"""What a WooCommerce shop says of itself, and what our REST key may do.

A key has the permissions read, write or both, and the capabilities of the user that it belongs to. Whether it may write
is asked with an empty batch: WooCommerce judges the request as any other write, and then has nothing to do.
An empty batch of customers tells less: a shop manager may change them one by one, and not in a batch.
Source: WooCommerce's REST API documentation, "Setting options" and "Batch"; its source, `WC_REST_Controller`
(`batch_items`), `WC_REST_Authentication` (a key without the permission is answered with 401) and
`wc_rest_check_user_permissions` (customers are read with `list_users`, changed in a batch with `promote_users`).
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, Final

import httpx
from pydantic import Field

from shared.kernel.answers import misfits_are
from shared.kernel.errors import Rejected
from shared.kernel.money import CurrencyCode
from shared.storefronts.http import odd_answer
from shared.storefronts.lenient import Lenient, OptionalText, read
from shared.storefronts.port import Credentials, Need, ShopFacts, ShopRight
from shared.storefronts.woocommerce.rest import RestApi, json_body, require_ok, unexpected

_CUSTOMERS_BATCH: Final = "/customers/batch"
_NOTHING: Final[dict[str, Any]] = {}
_WRITES: Final = (
    ("write orders", "/orders/batch", (Need.FULFILMENT,), "shipments are not shown, and orders not completed"),
    ("write products", "/products/batch", (Need.STOCK,), "the levels that the shop shows are not kept"),
    ("write webhooks", "/webhooks/batch", (), "webhooks that were switched off are not switched on again"),
)


class _Option(Lenient):
    id: str
    value: Any = None


class _General(Lenient):
    currency: Annotated[CurrencyCode | None, Field(alias="woocommerce_currency")] = None


class _Environment(Lenient):
    version: OptionalText = None


class _Status(Lenient):
    environment: Annotated[_Environment, Field(default_factory=_Environment)]


@misfits_are(odd_answer)
class WooCommerceInspection:
    """An `Inspection`."""

    def __init__(self, address: str, credentials: Credentials, http: httpx.Client) -> None:
        self._rest = RestApi(address, credentials, http)

    def facts(self) -> ShopFacts:
        require_ok(self._rest.get("/orders", {"per_page": "1", "_fields": "id"}))
        general, tax = read(_General, self._options("general")), self._options("tax")
        includes = tax.get("woocommerce_prices_include_tax")
        return ShopFacts(
            version=self._version(),
            currency=general.currency,
            prices_include_tax=None if includes is None else includes == "yes",
            rights=(ShopRight(what="read orders", needs=(Need.ORDERS,), granted=True), *self._others()),
        )

    def _options(self, group: str) -> dict[str, Any]:
        """One group of the shop's settings; empty where our user may not read them."""
        try:
            body = json_body(require_ok(self._rest.get(f"/settings/{group}")))
        except Rejected as error:
            if error.code != "api_access":
                raise
            return {}
        if not isinstance(body, list):
            raise unexpected("the shop answers with something other than a list of settings")
        return {option.id: option.value for option in (read(_Option, entry) for entry in body)}

    def _version(self) -> str | None:
        try:
            response = self._rest.get("/system_status", {"_fields": "environment"})
        except Rejected as error:
            if error.code != "api_access":
                raise
            return None
        return read(_Status, json_body(require_ok(response))).environment.version

    def _others(self) -> Iterator[ShopRight]:
        yield ShopRight(what="read customers", needs=(Need.CUSTOMERS,), granted=self._may_read_customers())
        writes = [
            ShopRight(what=what, needs=needs, granted=self._may_write(path), without=without)
            for what, path, needs, without in _WRITES
        ]
        yield from writes
        writes_anything = any(right.granted for right in writes)
        yield ShopRight(
            what="write customers",
            needs=(Need.CUSTOMERS,),
            granted=(self._may_write(_CUSTOMERS_BATCH) or None) if writes_anything else False,
            without="what was changed in the back office does not reach the shop",
        )

    def _may_read_customers(self) -> bool | None:
        try:
            response = self._rest.get("/customers", {"per_page": "1", "_fields": "id"})
        except Rejected as error:
            if error.code != "api_access":
                raise
            return False
        return True if response.status_code == HTTPStatus.OK else None

    def _may_write(self, path: str) -> bool | None:
        try:
            response = self._rest.post(path, _NOTHING)
        except Rejected as error:
            if error.code != "api_access":
                raise
            return False
        return True if response.status_code == HTTPStatus.OK else None
