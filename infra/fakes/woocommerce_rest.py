"""The fake shop's REST API v3: its routes, filters and errors, as far as Storebridge uses them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from infra.fakes.woocommerce_customers import CustomerRoutes
from infra.fakes.woocommerce_notes import notes_of_kind
from infra.fakes.woocommerce_requests import Json, Request, RestError, answer, invalid_parameter, page_of
from infra.fakes.woocommerce_settings import SiteSettings
from infra.fakes.woocommerce_state import SITE_OFFSET, STATUSES, Order, Product, Shop
from infra.fakes.woocommerce_webhooks import Webhook, Webhooks
from infra.local.answers import Answer

BATCH_LIMIT = 100

_Route = Callable[[Request, tuple[int, ...]], Answer]
_VARIATION = "product_variation"


class Routes:
    """Answers requests from the shop's data."""

    def __init__(self, shop: Shop, webhooks: Webhooks, customers: CustomerRoutes) -> None:
        self._shop = shop
        self.customers = customers
        self._webhooks = webhooks
        self.settings = SiteSettings()
        self.batch_limit = BATCH_LIMIT
        """A plugin or the shop's host may lower it."""
        self._routes: list[tuple[str, re.Pattern[str], _Route]] = [
            (method, re.compile(path.replace("#", "([0-9]{1,18})")), route) for method, path, route in self._table()
        ]

    def _table(self) -> Iterator[tuple[str, str, _Route]]:
        yield "GET", "/products", self._list_products
        yield "POST", "/products", self._create_product
        yield "POST", "/products/batch", self._batch_products
        yield "GET", "/products/#", lambda _, ids: answer(self._product(*ids).body())
        yield "PUT", "/products/#", self._update_product
        yield "DELETE", "/products/#", self._delete_product
        yield "GET", "/products/#/variations", self._list_variations
        yield "POST", "/products/#/variations", self._create_product
        yield "POST", "/products/#/variations/batch", self._batch_variations
        yield "GET", "/products/#/variations/#", lambda _, ids: answer(self._variation(*ids).body())
        yield "PUT", "/products/#/variations/#", self._update_variation
        yield "GET", "/orders", self._list_orders
        yield "POST", "/orders", self._create_order
        yield "GET", "/orders/#", lambda _, ids: answer(self.order(*ids).body)
        yield "PUT", "/orders/#", self._update_order
        yield "POST", "/orders/#", self._update_order  # WordPress takes either for an update
        yield "DELETE", "/orders/#", self._delete_order
        yield "GET", "/orders/#/notes", self._list_notes
        yield "POST", "/orders/#/notes", self._note
        yield "GET", "/orders/#/refunds", lambda request, ids: _listed(self.order(*ids).refunds, request)
        yield "POST", "/orders/#/refunds", self._refund
        yield "POST", "/orders/batch", _empty_batch
        yield from self.customers.table()
        yield "POST", "/customers/batch", self._batch_customers
        yield "POST", "/webhooks/batch", _empty_batch
        yield "GET", "/settings/general", lambda _request, _ids: answer(self.settings.group("general"))
        yield "GET", "/settings/tax", lambda _request, _ids: answer(self.settings.group("tax"))
        yield "GET", "/system_status", lambda _request, _ids: answer(self.settings.status())
        yield "GET", "/webhooks", self._list_webhooks
        yield "POST", "/webhooks", self._create_webhook
        yield "GET", "/webhooks/#", lambda _, ids: answer(self._webhook(*ids).body())
        yield "PUT", "/webhooks/#", self._update_webhook
        yield "DELETE", "/webhooks/#", self._delete_webhook

    def answer(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except RestError as error:
            return answer(error.body(), error.status)

    def _answer(self, request: Request) -> Answer:
        for method, path, route in self._routes:
            if method == request.method and (found := path.fullmatch(request.path)):
                return route(request, tuple(int(number) for number in found.groups()))
        raise RestError(404, "rest_no_route")

    def payload(self, topic: str, resource_id: int) -> Json:
        """A webhook's body: the resource as the REST API shows it now, or the error that it answers with."""
        resource, _, event = topic.partition(".")
        if event == "deleted":
            return {"id": resource_id}
        try:
            return self._resource(resource, resource_id)
        except RestError as error:
            return error.body()

    def _batch_customers(self, request: Request, ids: tuple[int, ...]) -> Answer:
        if not self.customers.batches:
            raise RestError(403, "woocommerce_rest_cannot_batch")
        return _empty_batch(request, ids)

    def _resource(self, resource: str, resource_id: int) -> Json:
        if resource == "order":
            return self.order(resource_id).body
        if resource == "customer":
            return self.customers.account(resource_id).body()
        return self._any_product(resource_id).body()

    # Products

    def _list_products(self, request: Request, _: tuple[int, ...]) -> Answer:
        """Products; with `sku` variations too."""
        skus = _listed_words(request.query.get("sku"))
        found = (each for each in self._shop.products.values() if skus or each.parent is None)
        return _listed_products((each for each in found if not skus or each.sku in skus), request, self._body)

    def _list_variations(self, request: Request, ids: tuple[int, ...]) -> Answer:
        return _listed_products(self._shop.variations(*ids), request, Product.body)

    def _body(self, product: Product) -> Json:
        return product.body() | {"variations": [each.id for each in self._shop.variations(product.id)]}

    def _create_product(self, request: Request, ids: tuple[int, ...]) -> Answer:
        body: Json = request.body
        parent = self._product(*ids) if ids else None
        product = self._shop.add_product(
            str(body.get("sku", "")),
            body.get("stock_quantity") or 0,
            type=str(body.get("type", "simple")),
            manage_stock=bool(body.get("manage_stock", False)),
            parent=parent,
        )
        self._shop.touch(product)
        return answer(product.body(), 201)

    def _update_product(self, request: Request, ids: tuple[int, ...]) -> Answer:
        product = self._product(*ids, missing_status=400)
        self._shop.update_product(product, request.body, checked=True)
        return answer(self._body(product))

    def _update_variation(self, request: Request, ids: tuple[int, ...]) -> Answer:
        product = self._variation(*ids, missing_status=400)
        self._shop.update_product(product, request.body, checked=True)
        return answer(product.body())

    def _delete_product(self, request: Request, ids: tuple[int, ...]) -> Answer:
        product = self._product(*ids)
        if request.query.get("force") == "true":
            self._shop.delete_product(product)
        else:
            product.status = "trash"
        return answer(product.body())

    def _batch_products(self, request: Request, _: tuple[int, ...]) -> Answer:
        return self._batch(request, lambda item_id: self._product(item_id, missing_status=400))

    def _batch_variations(self, request: Request, ids: tuple[int, ...]) -> Answer:
        return self._batch(request, lambda item_id: self._variation(ids[0], item_id, missing_status=400))

    def _batch(self, request: Request, find: Callable[[int], Product]) -> Answer:
        """Always 200, with an error in the place of each item that failed. Only updates are known here."""
        items = request.body.get("update", [])
        if sum(len(request.body.get(name, [])) for name in ("create", "update", "delete")) > self.batch_limit:
            raise RestError(413, "woocommerce_rest_request_entity_too_large")
        return answer({"update": [self._batch_item(item, find) for item in items]})

    def _batch_item(self, item: Json, find: Callable[[int], Product]) -> Json:
        try:
            product = find(int(item.get("id", 0)))
            self._shop.update_product(product, item, checked=False)
        except RestError as error:
            return error.in_batch(item.get("id"))
        return self._body(product)

    def _product(self, product_id: int, *, missing_status: int = 404) -> Product:
        product = self._any_product(product_id, missing_status=missing_status)
        if product.parent is not None:
            raise RestError(404, "woocommerce_rest_invalid_product_id")
        return product

    def _any_product(self, product_id: int, *, missing_status: int = 404) -> Product:
        if product_id not in self._shop.products:
            raise RestError(missing_status, "woocommerce_rest_product_invalid_id")
        return self._shop.products[product_id]

    def _variation(self, parent_id: int, variation_id: int, *, missing_status: int = 404) -> Product:
        product = self._shop.products.get(variation_id)
        if product is None or product.parent is None or product.parent.id != parent_id:
            raise RestError(missing_status, f"woocommerce_rest_{_VARIATION}_invalid_id")
        return product

    # Orders

    def order(self, order_id: int) -> Order:
        if order_id not in self._shop.orders:
            raise RestError(404, "woocommerce_rest_shop_order_invalid_id")
        return self._shop.orders[order_id]

    def _list_orders(self, request: Request, _: tuple[int, ...]) -> Answer:
        after = request.query.get("modified_after")
        gmt = request.query.get("dates_are_gmt") == "true"
        since = _site_time(after, gmt=gmt) if after is not None else None
        statuses = _listed_words(request.query.get("status"))
        orders = (order.body for order in self._shop.orders.values())
        return _listed(
            (
                body
                for body in orders
                if (body["status"] in statuses if statuses else body["status"] != "trash")
                and (since is None or datetime.fromisoformat(body["date_modified"]) > since)
            ),
            request,
        )

    def _create_order(self, request: Request, _: tuple[int, ...]) -> Answer:
        """A second identical request makes a second order, and stock may go below nothing."""
        status = "processing" if request.body.get("set_paid") else str(request.body.get("status", "pending"))
        if status not in STATUSES:
            raise invalid_parameter("status")
        lines = [
            (self._any_product(line.get("variation_id") or line["product_id"]), int(line.get("quantity", 1)))
            for line in request.body.get("line_items", [])
        ]
        order = self._shop.create_order(lines, status, "rest-api")
        self._shop.announce(order, "order.created", "order.updated")
        return answer(order.body, 201)

    def _update_order(self, request: Request, ids: tuple[int, ...]) -> Answer:
        """Status and meta; both come back as one event, even where nothing differs."""
        order = self.order(*ids)
        self._shop.set_meta(order, request.body.get("meta_data", []))
        self._shop.set_status(order, str(request.body.get("status", order.status)))
        return answer(order.body)

    def _delete_order(self, request: Request, ids: tuple[int, ...]) -> Answer:
        order = self.order(*ids)
        self._shop.delete_order(order, force=request.query.get("force") == "true")
        return answer(order.body)

    def _list_notes(self, request: Request, ids: tuple[int, ...]) -> Answer:
        return answer(notes_of_kind(self.order(*ids).notes, request.query.get("type", "any")))

    def _note(self, request: Request, ids: tuple[int, ...]) -> Answer:
        """A note alone makes no event."""
        return answer(self._shop.add_note(self.order(*ids), request.body), 201)

    def _refund(self, request: Request, ids: tuple[int, ...]) -> Answer:
        return answer(self._shop.refund(self.order(*ids), request.body), 201)

    # Webhooks

    def _webhook(self, webhook_id: int) -> Webhook:
        if webhook_id not in self._webhooks.registered:
            raise RestError(404, "woocommerce_rest_shop_webhook_invalid_id")
        return self._webhooks.registered[webhook_id]

    def _list_webhooks(self, request: Request, _: tuple[int, ...]) -> Answer:
        return _listed((webhook.body() for webhook in self._webhooks.registered.values()), request)

    def _create_webhook(self, request: Request, _: tuple[int, ...]) -> Answer:
        body = request.body
        webhook = self._webhooks.register(
            body["topic"],
            body["delivery_url"],
            secret=body.get("secret", ""),
            name=body.get("name", ""),
            status=body.get("status", "active"),
        )
        return answer(webhook.body(), 201)

    def _update_webhook(self, request: Request, ids: tuple[int, ...]) -> Answer:
        """Set the status, the URL or the secret. The count of failures stays as it is."""
        webhook = self._webhook(*ids)
        activated = webhook.status != "active" and request.body.get("status") == "active"
        moved = request.body.get("delivery_url", webhook.delivery_url) != webhook.delivery_url
        for name in ("status", "delivery_url", "secret", "name"):
            if name in request.body:
                setattr(webhook, name, str(request.body[name]))
        if activated or moved:
            self._webhooks.ping(webhook)
        return answer(webhook.body())

    def _delete_webhook(self, _: Request, ids: tuple[int, ...]) -> Answer:
        webhook = self._webhook(*ids)
        del self._webhooks.registered[webhook.id]
        return answer(webhook.body())


def _empty_batch(request: Request, _: tuple[int, ...]) -> Answer:
    """Only that it may be sent: batches of these are not known here."""
    if any(request.body.values()):
        raise invalid_parameter("batch")
    return answer([])


def _listed(bodies: Iterable[Json], request: Request) -> Answer:
    """Filter by id, sort and cut into pages."""
    query = request.query
    wanted = {int(word) for word in _listed_words(query.get("include"))}
    found = [body for body in bodies if not wanted or body["id"] in wanted]
    found.sort(key=_order_by(query), reverse=query.get("order", "desc") == "desc")
    return page_of(found, query, dict)


def _listed_products(products: Iterable[Product], request: Request, render: Callable[[Product], Json]) -> Answer:
    """The same for products, of which there may be very many."""
    query = request.query
    wanted = {int(word) for word in _listed_words(query.get("include"))}
    found = [product for product in products if product.status != "trash" and (not wanted or product.id in wanted)]
    orders: dict[str, Callable[[Product], Any]] = {
        "id": lambda each: each.id,
        "date": lambda each: (each.created, each.id),
        "modified": lambda each: (each.modified, each.id),
    }
    if (order_by := query.get("orderby", "date")) not in orders:
        raise invalid_parameter("orderby")
    found.sort(key=orders[order_by], reverse=query.get("order", "desc") == "desc")
    return page_of(found, query, render)


def _order_by(query: Mapping[str, str]) -> Callable[[Json], Any]:
    """By date of creation unless told otherwise, newest first."""
    name = {"id": "id", "modified": "date_modified_gmt", "date": "date_created_gmt"}.get(query.get("orderby", "date"))
    if name is None:
        raise invalid_parameter("orderby")
    return lambda body: (body.get(name, ""), body["id"])


def _listed_words(text: str | None) -> set[str]:
    return {word.strip() for word in text.split(",")} if text else set()


def _site_time(text: str, *, gmt: bool) -> datetime:
    """A date of a filter is in the shop's own time unless `dates_are_gmt`."""
    try:
        instant = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError as error:
        raise invalid_parameter("modified_after") from error
    return instant + SITE_OFFSET if gmt else instant
