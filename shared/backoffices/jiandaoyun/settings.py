"""Which forms of a Jiandaoyun (简道云) company hold what, and in which fields.

Every company makes its own forms, so the merchant names them. A field is named by its alias where one is set (扩展功能
> 数据推送 > 设置字段别名), else by its id `_widget_…`: an alias replaces the id everywhere in the API
(hc.jiandaoyun.com/open/10993 §2).
"""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, model_validator

from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode

Identifier = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
FieldName = Annotated[str, Field(pattern=r"^(_widget_[0-9]{1,20}|[a-z][a-z0-9_]{0,63})$")]
Row = dict[str, Any]
"""A row of a form, or of a sub-form, by the names of its fields."""
Word = Annotated[str, Field(min_length=1, max_length=100)]
"""A choice as it stands in the form: 已取消."""

_SEARCHED = frozenset({"text", "combo", "radiogroup"})
"""What can be searched for equality, of all texts (hc.jiandaoyun.com/open/14220)."""
_WRITTEN = _SEARCHED | {"textarea"}
_NUMBER = frozenset({"number"})
_TIME = frozenset({"datetime"})

KINDS = {
    "key": frozenset({"text"}),
    "order": frozenset({"text"}),
    "sku": _SEARCHED,
    "warehouse": _SEARCHED,
    "status": _SEARCHED,
    "applied": _SEARCHED,
    "stocked": _SEARCHED,
    "name": _WRITTEN,
    "title": _WRITTEN,
    "line": _WRITTEN,
    "email": _WRITTEN,
    "phone": _WRITTEN,
    "language": _WRITTEN,
    "customer": _WRITTEN,
    "currency": _WRITTEN,
    "tracking": _WRITTEN,
    "carrier": _WRITTEN,
    "recipient": _WRITTEN,
    "company": _WRITTEN,
    "street": _WRITTEN,
    "postal_code": _WRITTEN,
    "city": _WRITTEN,
    "subdivision": _WRITTEN,
    "country": _WRITTEN,
    "area": frozenset({"address"}),
    "account": _WRITTEN,
    "code": _SEARCHED,
    "kind": _WRITTEN,
    "label": _WRITTEN,
    "journal": _WRITTEN,
    "quantity": _NUMBER,
    "debit": _NUMBER,
    "credit": _NUMBER,
    "amount": _NUMBER,
    "total": _NUMBER,
    "on_hand": _NUMBER,
    "sellable": _NUMBER,
    "placed_on": _TIME,
    "counted_on": _TIME,
    "posted_on": _TIME,
    "shipped_at": _TIME,
    "table": frozenset({"subform"}),
}
"""Types of widgets that a field may have, by what it is for."""


class MappedField(NamedTuple):
    path: str
    """Where the mapping names it: `orders.lines.sku`."""
    name: str
    kinds: frozenset[str]
    table: str | None
    """The sub-form that it is in."""


class AddressFields(Canonical):
    """Where an address goes: each part to a text of its own, or the Chinese parts into one widget of the type 地址."""

    recipient: FieldName | None = None
    company: FieldName | None = None
    street: FieldName | None = None
    postal_code: FieldName | None = None
    city: FieldName | None = None
    subdivision: FieldName | None = None
    country: FieldName | None = None
    area: FieldName | None = None
    """The widget 地址: province, city and, as its detail, the street."""


class FormFields(Canonical):
    app: Identifier
    """应用 ID."""
    form: Identifier
    """表单 ID; the API calls it `entry_id`."""

    @model_validator(mode="after")
    def _names_no_field_twice(self) -> Self:
        seen: set[tuple[str | None, str]] = set()
        for field in mapped_fields(self, "the form"):
            if (field.table, field.name) in seen:
                raise ValueError(f"the field {field.name} is named twice, at last by {field.path}")
            seen.add((field.table, field.name))
        return self


class CustomerFields(FormFields):
    key: FieldName
    name: FieldName
    email: FieldName | None = None
    phone: FieldName | None = None
    language: FieldName | None = None
    billing: AddressFields = AddressFields()
    shipping: AddressFields = AddressFields()


class OrderLineFields(Canonical):
    table: FieldName
    """The sub-form (子表单)."""
    key: FieldName
    sku: FieldName
    title: FieldName | None = None
    quantity: FieldName
    amount: FieldName


class OrderWords(Canonical):
    open: Word = "待处理"
    cancelled: Word = "已取消"
    shipped: Word = "已发货"


class OrderFields(FormFields):
    """`status` lets an order be cancelled, and with `shipped` tells that it has left as a whole, where no form of
    shipments is mapped."""

    key: FieldName
    name: FieldName
    placed_on: FieldName
    customer: FieldName
    """Takes the data id of the customer."""
    currency: FieldName | None = None
    warehouse: FieldName | None = None
    total: FieldName
    lines: OrderLineFields
    status: FieldName | None = None
    words: OrderWords = OrderWords()
    tracking: FieldName | None = None
    carrier: FieldName | None = None
    shipped_at: FieldName | None = None
    shipping: AddressFields = AddressFields()


class GoodsLineFields(Canonical):
    table: FieldName
    line: FieldName | None = None
    """Key of the order's line. Without it units are assigned to the order's lines by SKU."""
    sku: FieldName
    quantity: FieldName


class ShipmentFields(FormFields):
    """出库单, 发货单: a row for each consignment, with its goods in a sub-form."""

    key: FieldName | None = None
    """Lets us enter shipments made elsewhere; empty in those that staff enter."""
    order: FieldName
    """Key of the order."""
    tracking: FieldName | None = None
    carrier: FieldName | None = None
    shipped_at: FieldName | None = None
    """Empty: not gone yet. Where no such field is mapped, every row has left."""
    lines: GoodsLineFields


class ProductFields(FormFields):
    sku: FieldName
    name: FieldName
    stocked: FieldName | None = None
    """Without it every product is goods."""
    stocked_word: Word = "是"


class StockFields(FormFields):
    """A row for each product, or for each product and warehouse. An aggregate table (聚合表) is no form: the API can
    neither read nor write it."""

    sku: FieldName
    warehouse: FieldName | None = None
    on_hand: FieldName
    sellable: FieldName | None = None
    """Without it all that is on hand may be sold."""


class CountFields(FormFields):
    key: FieldName
    counted_on: FieldName
    warehouse: FieldName | None = None
    applied: FieldName
    """Says that the rows of stock have been written."""
    applied_word: Word = "是"
    lines: GoodsLineFields


class JournalLineFields(Canonical):
    table: FieldName
    account: FieldName
    """Takes the account's code."""
    debit: FieldName
    credit: FieldName
    label: FieldName | None = None


class JournalFields(FormFields):
    """记账凭证: a row for each journal entry, with its lines in a sub-form."""

    key: FieldName
    name: FieldName | None = None
    posted_on: FieldName
    journal: FieldName | None = None
    currency: FieldName | None = None
    """With it journals of any currency are entered; without it those of `currency` alone."""
    lines: JournalLineFields


class AccountFields(FormFields):
    """会计科目: a row for each account. Without it, codes of accounts are taken as they are."""

    code: FieldName
    name: FieldName
    kind: FieldName | None = None


class JiandaoyunMapping(Canonical):
    company: Word
    currency: CurrencyCode
    """Of all amounts: forms know none."""
    warehouses: Annotated[tuple[Word, ...], Field(min_length=1)] = ("默认仓库",)
    customers: CustomerFields
    orders: OrderFields
    products: ProductFields
    stock: StockFields | None = None
    shipments: ShipmentFields | None = None
    counts: CountFields | None = None
    journals: JournalFields | None = None
    accounts: AccountFields | None = None

    @property
    def forms(self) -> dict[str, FormFields]:
        """Those that are mapped, by name."""
        return {name: value for name, value in self if isinstance(value, FormFields)}


def mapped_fields(form: FormFields, path: str) -> Iterator[MappedField]:
    """Every field that a form's mapping names."""
    yield from _fields(form, path, None)


def _fields(part: Canonical, path: str, table: str | None) -> Iterator[MappedField]:
    inside = getattr(part, "table", None)
    for name, value in part:
        if isinstance(value, Canonical):
            yield from _fields(value, f"{path}.{name}", table)
        elif name in KINDS and value is not None:
            yield MappedField(f"{path}.{name}", value, KINDS[name], inside if name != "table" else table)
