"""Which row a push speaks of."""

import json

import pytest

from shared.backoffices.jiandaoyun.push import PushedChange, Subject, read_push
from shared.kernel.errors import Rejected
from tests.contract.backoffices.jiandaoyun_world import APP, MAPPING, entry, wrap
from tests.unit.backoffices.jiandaoyun.company import START, Company


def _body(number: int, operation: str = "data_update", **fields: object) -> bytes:
    data = {"_id": "1", "appId": APP, "entryId": entry(number), **fields}
    return json.dumps({"op": operation, "opTime": int(START.timestamp() * 1000), "data": data}).encode()


def _change(subject: Subject, reference: str | None, *, removed: bool = False) -> PushedChange:
    return PushedChange(subject, reference, removed, START)


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (_body(1, _widget_1529400746031="aurora/c/7"), _change(Subject.CUSTOMER, "aurora/c/7")),
        (_body(2, order_key="aurora/5001"), _change(Subject.SALE, "aurora/5001")),
        (_body(5, order_key="aurora/5001"), _change(Subject.SALE, "aurora/5001")),
        (_body(4, sku="MUG"), _change(Subject.STOCK, "MUG")),
        (_body(4, "data_create", sku="MUG"), _change(Subject.STOCK, "MUG")),
        (_body(4, "data_recover", sku="MUG"), _change(Subject.STOCK, "MUG")),
        (_body(2, "data_remove", order_key="aurora/5001"), _change(Subject.SALE, "aurora/5001", removed=True)),
        (_body(2), _change(Subject.SALE, None)),
    ],
)
def test_a_push_names_what_changed(body: bytes, change: PushedChange) -> None:
    assert read_push(body, MAPPING) == change


@pytest.mark.parametrize("body", [_body(3, sku="MUG"), _body(9), _body(2, "form_update")])
def test_other_forms_and_events_are_nobodys(body: bytes) -> None:
    assert read_push(body, MAPPING) is None


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"op":"data_update"}', b'{"op":1,"data":{}}', b'{"data":{}}'])
def test_what_is_no_push_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected) as refusal:
        read_push(body, MAPPING)
    assert refusal.value.code == "invalid_payload"


def test_strange_bytes_are_refused() -> None:
    with pytest.raises(Rejected, match="invalid_json"):
        read_push(b"{", MAPPING)


def test_what_staff_change_is_pushed_and_what_they_change_in_bulk_is_not() -> None:
    company = Company()
    company.fake.pushes.clear()
    row = company.fake.staff_enter(company.form(4), wrap(sku="MUG", warehouse="上海仓", on_hand=3))
    company.fake.staff_change(company.form(4), row, wrap(on_hand=2))
    company.fake.staff_change(company.form(4), row, wrap(on_hand=1), in_bulk=True)
    told = [read_push(push.body, MAPPING) for push in company.fake.pushes]
    assert [change.reference for change in told if change] == ["MUG", "MUG"]
