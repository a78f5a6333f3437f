"""Why a SKU has the level that it has, and why each shop is told the number that it is told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from infra.cli.order_facts import Json, time
from shared.inventory.bundles import Bundles, parts_of, shelf_skus
from shared.inventory.ledger import Level, Movement, audit, level_at, level_of
from shared.inventory.models import StockLine, StockView
from shared.inventory.sellable import sellable
from shared.platform.settings import ShopSettings
from shared.sync.levels.bindings import Binding

MOST_MISSING = 20


def ledger_facts(movements: Sequence[Movement], lines: Mapping[str, StockLine], moment: datetime | None) -> list[Json]:
    """The movements at each location up to a moment, what they add up to, and whether they tell the whole story."""
    by_location = {place: list(found) for place, found in groupby(movements, key=lambda movement: movement.location)}
    return [
        _location(place, by_location.get(place, []), lines.get(place), moment)
        for place in sorted({*by_location, *lines})
    ]


def _location(place: str, movements: Sequence[Movement], line: StockLine | None, moment: datetime | None) -> Json:
    told = [movement for movement in movements if moment is None or movement.at <= moment]
    return {
        "location": place,
        "movements": [_movement(movement) for movement in told],
        "level": _level(level_at(movements, moment) if moment else level_of(movements)),
        "audit": _audit(movements, line) if line else None,
    }


def _movement(movement: Movement) -> Json:
    return {
        "seq": movement.seq,
        "at": time(movement.at),
        "cause": movement.cause.kind,
        "reference": movement.cause.reference,
        "actor": movement.cause.actor,
        "on_hand": movement.on_hand,
        "reserved": movement.reserved,
        "on_hand_after": movement.on_hand_after,
        "reserved_after": movement.reserved_after,
    }


def _level(level: Level) -> Json:
    return {"on_hand": level.on_hand, "reserved": level.reserved, "available": level.available}


def _audit(movements: Sequence[Movement], line: StockLine) -> Json:
    """Of today, whatever moment is asked about."""
    found = audit(movements, line)
    return {
        "agrees": found.agrees,
        "stock_line": _level(Level(line.on_hand, line.reserved)),
        "ledger": _level(found.level),
        "missing": list(found.missing[:MOST_MISSING]),
        "missing_in_all": len(found.missing),
    }


def shop_facts(
    sku: str,
    name: str,
    shop: ShopSettings,
    *,
    stock: StockView,
    bundles: Bundles,
    binding: Binding | None,
    now: datetime,
) -> Json:
    """What one shop is told to sell of a SKU: step by step, and beside it what it was last seen to show."""
    parts = parts_of(sku, bundles)
    unknown = sorted(shelf_skus([sku], bundles) - stock.keys())
    places = [_place(place, parts, stock) for place in shop.locations]
    return {
        "shop": name,
        "kept": shop.keeps_stock,
        "sells": None if unknown else sellable(sku, stock, bundles, locations=shop.locations, buffer=shop.stock_buffer),
        "unknown_to_stock": unknown,
        "locations": places,
        "sum": sum(place["makes"] for place in places),
        "buffer": shop.stock_buffer,
        "binding": _binding(binding, now),
    }


def _place(location: str, parts: Mapping[str, int], stock: StockView) -> Json:
    found = [_part(part, units, stock.get(part, {}).get(location)) for part, units in sorted(parts.items())]
    return {"location": location, "makes": min(part["makes"] for part in found), "parts": found}


def _part(sku: str, units: int, line: StockLine | None) -> Json:
    available, kept_back = (line.available, line.safety_buffer) if line else (0, 0)
    free = max(0, available - kept_back)
    return {
        "sku": sku,
        "units": units,
        "available": available,
        "safety_buffer": kept_back,
        "free": free,
        "makes": free // units,
    }


def _binding(binding: Binding | None, now: datetime) -> Json | None:
    if binding is None:
        return None
    waiting = binding.raise_after is not None and now < binding.raise_after
    return {
        "item_id": binding.item.item_id,
        "last_shown": binding.item.shown,
        "written_at": time(binding.written_at),
        "seen_at": time(binding.seen_at),
        "set_aside": binding.set_aside,
        "waits_for_a_sale_until": time(binding.raise_after) if waiting else None,
    }


def part_of(sku: str, bundles: Bundles) -> list[str]:
    """The bundles that it goes into."""
    return sorted(bundle for bundle, components in bundles.items() if sku in components)


def in_words(shop: Json) -> str:
    """The arithmetic on one line: `main 10 - 2 = 8; - buffer 1 = 7`."""
    if shop["unknown_to_stock"]:
        return f"stock does not know {', '.join(shop['unknown_to_stock'])}"
    sums = "; ".join(f"{place['location']} {_sum(place)}" for place in shop["locations"])
    return f"{sums}; - buffer {shop['buffer']} = {shop['sells']}"


def _sum(place: Json) -> str:
    parts: Iterable[Json] = place["parts"]
    sums = [f"{part['available']} - {part['safety_buffer']} = {part['free']}" for part in parts]
    if len(sums) == 1 and place["parts"][0]["units"] == 1:
        return sums[0]
    made = ", ".join(f"{part['sku']} ({text}) / {part['units']}" for part, text in zip(parts, sums, strict=True))
    return f"{made} → {place['makes']}"


def standing(shop: Json) -> str:
    """What stands between that number and the one that the shop shows."""
    binding = shop["binding"]
    if not shop["kept"]:
        return "its stock is not kept (push_stock, api_access, stock_location)"
    if binding is None:
        return "no sweep has found it in this shop"
    if binding["set_aside"]:
        return f"set aside: {binding['set_aside']}"
    if binding["waits_for_a_sale_until"]:
        return f"a sale may be on its way: not raised before {binding['waits_for_a_sale_until']}"
    if binding["last_shown"] is None:
        return "the shop does not count it"
    return "in step" if binding["last_shown"] == shop["sells"] else "a write is on its way"
