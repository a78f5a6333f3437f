"""The mapping: what it takes, and how a wrong one is told."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from shared.backoffices.jiandaoyun.backoffice import capabilities_of
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping, mapped_fields
from shared.kernel.errors import Rejected
from tests.contract.backoffices.jiandaoyun_world import MAPPING, entry
from tests.unit.backoffices.jiandaoyun.company import Company

Change = Callable[[dict[str, Any]], object]


def _changed(change: Change) -> dict[str, Any]:
    values = MAPPING.model_dump()
    change(values)
    return values


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda values: values["orders"].update(total="Total"), id="a label for a field"),
        pytest.param(lambda values: values["orders"].update(total="_widget_"), id="half an id"),
        pytest.param(lambda values: values["orders"].update(form="orders"), id="a name for a form"),
        pytest.param(lambda values: values["orders"].update(colour="colour"), id="an unknown purpose"),
        pytest.param(lambda values: values["orders"].update(name="order_key"), id="a field named twice"),
        pytest.param(lambda values: values["orders"]["lines"].update(amount="quantity"), id="twice in a sub-form"),
        pytest.param(lambda values: values.pop("products"), id="no products"),
        pytest.param(lambda values: values.update(warehouses=()), id="no warehouse"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(change: Change) -> None:
    with pytest.raises(ValidationError):
        JiandaoyunMapping.model_validate(_changed(change))


def test_every_mapped_field_says_where_it_is_named() -> None:
    fields = {field.path: field for field in mapped_fields(MAPPING.orders, "orders")}
    assert fields["orders.total"].kinds == {"number"}
    assert fields["orders.total"].table is None
    assert fields["orders.lines.table"].table is None
    assert fields["orders.lines.sku"].table == "lines"
    assert fields["orders.shipping.city"].name == "city"


def test_a_field_that_is_not_there_is_named() -> None:
    company = Company()
    del company.form(2).widgets["total"]
    company.form(2).widgets["placed_on"] = "text"
    lines = company.form(2).widgets["lines"]
    assert isinstance(lines, dict)
    del lines["sku"]
    told = {one.what: one.hint for one in company.office.missing_rights()}
    assert told == {
        "use orders.placed_on (placed_on)": "it is of the type text, not datetime",
        "use orders.total (total)": "there is no such field in the form",
        "use orders.lines.sku (sku)": "there is no such field in the sub-form lines",
    }
    with pytest.raises(Rejected) as refusal:
        company.office.identify()
    assert refusal.value.field == "mapping.orders.placed_on"


def test_a_field_that_got_an_alias_is_named_by_it() -> None:
    company = Company()
    form = company.form(1)
    form.widgets = {"customer_key" if name.startswith("_") else name: kind for name, kind in form.widgets.items()}
    form.aliases = {"_widget_1529400746031": "customer_key"}
    (missing,) = company.office.missing_rights()
    assert missing.what == "use customers.key (_widget_1529400746031)"
    assert "alias customer_key" in missing.hint


def test_a_form_that_is_not_there_is_named() -> None:
    company = Company(MAPPING.model_copy(update={"counts": MAPPING.orders.model_copy(update={"form": entry(99)})}))
    assert [one.what for one in company.office.missing_rights()] == ["read the form of counts"]


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        (lambda values: values.update(stock=None), {"stock", "counts"}),
        (lambda values: values.update(counts=None), {"counts"}),
        (lambda values: values.update(shipments=None), {"ships", "tracks_parcels"}),
        (lambda values: values["shipments"].update(key=None), {"ships"}),
        (lambda values: values["orders"].update(status=None), {"cancels"}),
    ],
)
def test_what_is_not_mapped_cannot_be_done(change: Change, lacks: set[str]) -> None:
    usual = capabilities_of(MAPPING).model_dump()
    now = capabilities_of(JiandaoyunMapping.model_validate(_changed(change))).model_dump()
    assert {name for name, value in usual.items() if value is True and now[name] is False} == lacks


def test_neither_status_nor_shipments_tells_of_none() -> None:
    values = _changed(lambda given: (given.update(shipments=None), given["orders"].update(status=None)))
    assert not capabilities_of(JiandaoyunMapping.model_validate(values)).tells_shipments
