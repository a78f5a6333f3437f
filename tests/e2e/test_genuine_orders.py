"""Every sample of a real order ends as an order, held or not, or is refused with a reason. None crashes a function."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from infra.samples import shopify, woocommerce
from shared.kernel.identifiers import OrderKey
from shared.orders.totals import prove_totals
from tests.e2e.conftest import SECRETS, SHOPS, Deployed

SAMPLES = Path(__file__).parents[2].parent / "shared" / "fixtures"
SHOPIFY = sorted((SAMPLES / "shopify").glob("*order*.json"))
WOOCOMMERCE = sorted((SAMPLES / "woocommerce").glob("*order*.json"))
CAPTURED = sorted((SAMPLES / "captured").glob("wc-*.json"))
PROVEN = {"jpy_order_1", "hkd_order_create_dis2", "pln_order_100500", "docs_order_1"}

needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not beside this checkout")


def _bodies(path: Path) -> list[dict[str, Any]]:
    """API answers wrap the order as `order` or `orders`; a webhook sends it bare."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, list):
        return content
    return content.get("orders") or [content.get("order") or content]


def _settled(deployed: Deployed, shop: str, body: dict[str, Any], post: Any) -> str:
    """`kept`, or the code with which the delivery was refused at the door or set aside."""
    answer = deployed.post(shop, post.body, dict(post.headers))
    if answer.status_code != 200:
        assert 400 <= answer.status_code < 500
        return str(answer.json()["error"])
    deployed.stack.drain()
    aside = deployed.set_aside()
    if aside:
        assert aside[0]["reason"] not in ("", "-")
        return aside[0]["code"]
    gid = str(body.get("admin_graphql_api_id") or body["id"]).rpartition("/")[2]
    account = deployed.orders.find_account(OrderKey(shop, gid))
    record = deployed.order(shop, gid)
    assert account is not None
    assert record is not None
    held = [hold.reason for hold in record.holds]
    assert prove_totals(account).proven or account.test or "total_mismatch" in held or record.status == "cancelled"
    return "proven" if prove_totals(account).proven else "kept"


@needs_samples
@pytest.mark.parametrize("path", SHOPIFY, ids=lambda path: path.stem)
def test_shopify(deployed: Deployed, path: Path) -> None:
    for body in _bodies(path):
        post = shopify.signed_request(json.dumps(body).encode(), secret=SECRETS["aurora"], address=SHOPS["aurora"][1])
        verdict = _settled(deployed, "aurora", body, post)
        assert verdict in {"proven", "kept", "no_api_access", "invalid_payload", "invalid_time"}
        if path.stem in PROVEN:
            assert verdict == "proven"


@needs_samples
@pytest.mark.parametrize("path", WOOCOMMERCE, ids=lambda path: path.stem)
def test_woocommerce(deployed: Deployed, path: Path) -> None:
    for body in _bodies(path):
        post = woocommerce.request(body, secret=SECRETS["borealis"], source=f"https://{SHOPS['borealis'][1]}/")
        verdict = _settled(deployed, "borealis", body, post)
        assert verdict in {"proven", "kept", "invalid_payload"}
        if path.stem in PROVEN:
            assert verdict == "proven"


@needs_samples
@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_captured_with_their_own_signatures(deployed: Deployed, path: Path) -> None:
    capture = json.loads(path.read_text(encoding="utf-8"))
    headers = {name.lower(): value for name, value in capture["headers"] if name.lower() not in ("host", "connection")}
    answer = deployed.post("genuine", base64.b64decode(capture["body_base64"]), headers)
    concerns_orders = "order." in path.stem or "ping" in path.stem
    assert answer.status_code == (200 if concerns_orders else 422)
    deployed.stack.drain()
    aside = deployed.set_aside()
    assert [reason["code"] for reason in aside] in ([], ["no_api_access"])


@needs_samples
def test_captured_orders_are_kept_with_their_totals_proven(deployed: Deployed) -> None:
    for path in CAPTURED:
        if "order.created" not in path.stem and "refund" not in path.stem:
            continue
        body = json.loads(base64.b64decode(json.loads(path.read_text(encoding="utf-8"))["body_base64"]))
        account = deployed.orders.find_account(OrderKey("genuine", str(body["id"])))
        assert account is not None
        assert prove_totals(account).proven


def test_no_function_failed(deployed: Deployed) -> None:
    logs = deployed.logs()
    assert "Traceback" not in logs
    assert "Task timed out" not in logs
    for private in ("@example", "eve@", "Hauptstr"):
        assert private not in logs
