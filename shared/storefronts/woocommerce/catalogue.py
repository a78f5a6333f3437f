"""Reading all of a shop's products in the order of their ids, and going on from any point.

WooCommerce lists by offset, so a product deleted meanwhile moves all later ones forward, over the edge of a page. A
cursor therefore also names the last id seen; each page starts one product early, and when that one is not where it
was, the page before is read again.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.inventory.channels import CataloguePage, ChannelItem
from shared.kernel.errors import Rejected
from shared.storefronts.woocommerce.products import Product
from shared.storefronts.woocommerce.rest import PAGE_SIZE

VARIABLE_PRODUCTS_PER_PAGE = 10
"""Each costs a request, so a page of the catalogue costs some ten requests at most."""

_CURSOR = re.compile(r"([0-9]{1,9}):([0-9]{1,20})(?:/([0-9]{1,20})@([0-9]{1,9}):([0-9]{1,20}))?")


class Listing(NamedTuple):
    """What the shop lists from an offset on, and how many there are in all."""

    products: Sequence[Product]
    total: int


Lister = Callable[[str, int], Listing]
"""List the products at a path from an offset on, `PAGE_SIZE` at most, by ascending id."""


class Place(NamedTuple):
    """How far a listing has been read: about so many products, up to this id."""

    offset: int = 0
    last_id: int = 0


class Cursor(NamedTuple):
    """How far the catalogue has been read; within `product_id`'s variations, where it stopped there."""

    products: Place = Place()
    product_id: int = 0
    variations: Place = Place()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise Rejected("invalid_cursor", "the cursor is not one of this catalogue's", field="cursor")
        numbers = [int(number or 0) for number in found.groups()]
        return cls(Place(numbers[0], numbers[1]), numbers[2], Place(numbers[3], numbers[4]))

    def __str__(self) -> str:
        products = f"{self.products.offset}:{self.products.last_id}"
        if not self.product_id:
            return products
        return f"{products}/{self.product_id}@{self.variations.offset}:{self.variations.last_id}"


class _Stretch(NamedTuple):
    products: Sequence[tuple[Product, Place]]
    """Each with the place after it."""
    end: Place
    complete: bool


def read_page(listed: Lister, cursor: Cursor) -> CataloguePage:
    """One page: up to `PAGE_SIZE` products, or as far as `VARIABLE_PRODUCTS_PER_PAGE` requests for variations reach."""
    stretch = _next_stretch(listed, "/products", cursor.products)
    items: list[ChannelItem] = []
    place, variable = cursor.products, 0
    for product, after in stretch.products:
        if product.is_variable:
            if variable == VARIABLE_PRODUCTS_PER_PAGE:
                return CataloguePage(items=tuple(items), cursor=str(Cursor(place)))
            variable += 1
            variations = _variations(listed, product, cursor)
            items += _items(variations, parent=product)
            if not variations.complete:
                return CataloguePage(items=tuple(items), cursor=str(Cursor(place, int(product.id), variations.end)))
        if (item := product.item()) is not None:
            items.append(item)
        place = after
    return CataloguePage(items=tuple(items), cursor=None if stretch.complete else str(Cursor(stretch.end)))


def _variations(listed: Lister, product: Product, cursor: Cursor) -> _Stretch:
    place = cursor.variations if cursor.product_id == int(product.id) else Place()
    return _next_stretch(listed, f"/products/{product.id}/variations", place)


def _items(stretch: _Stretch, *, parent: Product) -> list[ChannelItem]:
    return [item for product, _ in stretch.products if (item := product.item(parent=parent)) is not None]


def _next_stretch(listed: Lister, path: str, place: Place) -> _Stretch:
    """What follows `place`. Where the product before it is not where it was, the page before is searched for more."""
    start = max(0, place.offset - 1)
    listing = listed(path, start)
    newer = _after(listing, start, place)
    while start > 0 and len(newer) == len(listing.products):
        earlier = max(0, start - PAGE_SIZE)
        before = listed(path, earlier)
        missed = _after(before, earlier, place)
        if before.products and not missed:
            break
        start, listing, newer = earlier, before, missed
    end = start + PAGE_SIZE
    last_id = newer[-1][1].last_id if newer else place.last_id
    return _Stretch(newer, Place(end, last_id), complete=end >= listing.total)


def _after(listing: Listing, start: int, place: Place) -> list[tuple[Product, Place]]:
    numbered = [(product, int(product.id)) for product in listing.products]
    return [
        (product, Place(start + number, product_id))
        for number, (product, product_id) in enumerate(numbered, start=1)
        if product_id > place.last_id
    ]
