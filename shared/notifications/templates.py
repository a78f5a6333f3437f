"""What notices say, in English and Simplified Chinese. Pure; figures and names of goods only, nothing of any buyer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.inventory.low_stock import AlertKind, Crossing, StockState
from shared.kernel.model import Canonical
from shared.notifications.port import Language, Notice

Words = Mapping[str, str]


class DigestEntry(Canonical):
    """One stock line that is low or out, as it is now."""

    sku: str
    location: str
    """Its name, not its short name."""
    state: StockState
    free: int
    point: int | None
    days_of_cover: int | None
    proposed: int
    since: datetime


_EN: Final[Words] = {
    "low.title": "Low stock: {sku} at {location}, {free} left",
    "low.text": "{sku} at {location} has fallen to its reorder point.",
    "out_of_stock.title": "Out of stock: {sku} at {location}",
    "out_of_stock.text": "{sku} at {location} has nothing left to sell.",
    "back_in_stock.title": "Back in stock: {sku} at {location}, {free} available",
    "back_in_stock.text": "{sku} at {location} can be sold again.",
    "replenished.title": "Stock sufficient again: {sku} at {location}, {free} available",
    "replenished.text": "{sku} at {location} is above its reorder point again.",
    "free": "Available to sell",
    "point": "Reorder point",
    "cover": "Days of cover",
    "proposed": "Proposed order",
    "since": "Since",
    "state": "State",
    "sku": "SKU",
    "location": "Location",
    "low": "low",
    "out": "out of stock",
    "units": "{count} units",
    "unit": "1 unit",
    "nothing": "none needed",
    "digest.title": "Stock to reorder: {out} out of stock, {low} low",
    "digest.text": "The most urgent first. Proposed orders are in whole packs and count nothing as on order.",
}
_ZH: Final[Words] = {
    "low.title": "库存偏低：{sku}（{location}）仅剩 {free} 件",
    "low.text": "{location}的 {sku} 已降至补货点。",
    "out_of_stock.title": "已售罄：{sku}（{location}）",
    "out_of_stock.text": "{location}的 {sku} 已无可售库存。",
    "back_in_stock.title": "恢复可售：{sku}（{location}）现有 {free} 件",
    "back_in_stock.text": "{location}的 {sku} 已恢复销售。",
    "replenished.title": "库存已恢复充足：{sku}（{location}）现有 {free} 件",
    "replenished.text": "{location}的 {sku} 库存已回升至补货点以上。",
    "free": "可售库存",
    "point": "补货点",
    "cover": "预计可售天数",
    "proposed": "建议采购量",
    "since": "起始时间",
    "state": "状态",
    "sku": "SKU",
    "location": "仓库",
    "low": "偏低",
    "out": "售罄",
    "units": "{count} 件",
    "unit": "1 件",
    "nothing": "无需采购",
    "digest.title": "待补货清单：售罄 {out} 项，偏低 {low} 项",
    "digest.text": "按紧急程度排序。建议采购量已按整包装取整，未计在途数量。",
}
_WORDS: Final[Mapping[Language, Words]] = {"en": _EN, "zh": _ZH}


def stock_notice(crossing: Crossing, *, location: str, language: Language) -> Notice:
    """What people are told of a crossing. `location` is the location's name. The same crossing gives the same words."""
    words = _WORDS[language]
    story = _story(crossing)
    named = {"sku": crossing.sku, "location": location, "free": str(crossing.free)}
    return Notice(
        key=crossing.key,
        language=language,
        title=_fill(words[f"{story}.title"], named),
        text=_fill(words[f"{story}.text"], named),
        facts=tuple(
            (words[label], value)
            for label, value in (
                ("free", _units(words, crossing.free)),
                ("point", "" if crossing.point is None else _units(words, crossing.point)),
                ("cover", "" if crossing.days_of_cover is None else str(crossing.days_of_cover)),
                ("proposed", _order(words, crossing.proposed) if crossing.state is not StockState.OK else ""),
                ("since", _time(crossing.at)),
            )
            if value
        ),
    )


def digest_notice(entries: Sequence[DigestEntry], *, key: str, language: Language) -> Notice:
    """The list of everything that is low or out, in the order given."""
    words = _WORDS[language]
    out = sum(entry.state is StockState.OUT for entry in entries)
    counts = {"out": str(out), "low": str(len(entries) - out)}
    labels = ("sku", "location", "state", "free", "cover", "proposed", "since")
    return Notice(
        key=key,
        language=language,
        title=_fill(words["digest.title"], counts),
        text=words["digest.text"],
        columns=tuple(words[label] for label in labels),
        rows=tuple(_row(words, entry) for entry in entries),
    )


def _story(crossing: Crossing) -> str:
    if crossing.kind is AlertKind.BACK_IN_STOCK and crossing.state is StockState.OK:
        return "replenished"
    return crossing.kind.value


def _row(words: Words, entry: DigestEntry) -> tuple[str, ...]:
    return (
        entry.sku,
        entry.location,
        words[entry.state.value],
        str(entry.free),
        "" if entry.days_of_cover is None else str(entry.days_of_cover),
        str(entry.proposed),
        _time(entry.since),
    )


def _units(words: Words, count: int) -> str:
    return words["unit"] if count == 1 else _fill(words["units"], {"count": str(count)})


def _order(words: Words, count: int) -> str:
    return _units(words, count) if count else words["nothing"]


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Not `str.format`: a SKU may hold braces, and must not be read as a field."""
    text = template
    for position, name in enumerate(values):
        text = text.replace(f"{{{name}}}", f"\0{position}\0")
    for position, value in enumerate(values.values()):
        text = text.replace(f"\0{position}\0", _one_line(value))
    return text


def _one_line(value: str) -> str:
    return " ".join(value.replace("\0", " ").split())
