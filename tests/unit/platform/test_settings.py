"""The settings document: every fault is named by its field, and nothing unknown passes."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.errors import Rejected
from shared.platform.settings import parse_settings, read_settings_file

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]

GOOD: Json = {
    "merchant": "Example Goods",
    "locations": {"main": {"name": "Main", "country": "NL"}, "shop-floor": {"name": "Shop"}},
    "shops": {
        "aurora": {"platform": "shopify", "address": "aurora.myshopify.com", "locations": ["main", "shop-floor"]},
        "borealis": {
            "platform": "woocommerce",
            "address": "shop.example/store/",
            "locations": ["main"],
            "api_access": False,
            "review": {"duplicate_window_minutes": 0},
        },
    },
    "review": {"auto_release": False},
}


def changed(path: str, value: Any) -> Json:
    """The good document with one field set; `...` removes it."""
    document = deepcopy(GOOD)
    *parents, last = path.split(".")
    part = document
    for name in parents:
        part = part[name]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return document


def test_a_good_document_is_read() -> None:
    settings = parse_settings(GOOD)
    assert settings.shop("aurora").locations == ("main", "shop-floor")
    assert settings.shop("aurora").api_access
    assert settings.shop("borealis").address == "shop.example/store"
    assert settings.locations["main"].country == "NL"


def test_a_shops_own_rules_stand_in_place_of_the_common_ones() -> None:
    settings = parse_settings(GOOD)
    assert settings.rules_of("aurora") == settings.review
    assert not settings.rules_of("aurora").auto_release
    assert settings.rules_of("borealis").duplicate_window_minutes == 0


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("locations", ..., "locations"),
        ("locations", {}, "locations"),
        ("locations.main", {}, "locations.main.name"),
        ("locations.main.country", "nl", "locations.main.country"),
        ("locations.Main Street", {"name": "M"}, "locations.Main Street.[key]"),
        ("shops.Aurora!", GOOD["shops"]["aurora"], "shops.Aurora!.[key]"),
        ("shops.aurora.platform", "magento", "shops.aurora.platform"),
        ("shops.aurora.platform", ..., "shops.aurora.platform"),
        ("shops.aurora.address", "https://aurora.myshopify.com", "shops.aurora.address"),
        ("shops.aurora.address", "", "shops.aurora.address"),
        ("shops.aurora.address", "aurora .com", "shops.aurora.address"),
        ("shops.aurora.address", "aurora.com\n", "shops.aurora.address"),
        ("shops.aurora.locations", [], "shops.aurora.locations"),
        ("shops.aurora.locations", ["MAIN"], "shops.aurora.locations.0"),
        ("shops.aurora.api_access", "perhaps", "shops.aurora.api_access"),
        ("shops.aurora.colour", "blue", "shops.aurora.colour"),
        ("shops.borealis.review.auto_relese", True, "shops.borealis.review.auto_relese"),
        ("review.duplicate_window_minutes", -1, "review.duplicate_window_minutes"),
        ("merchants", "x", "merchants"),
    ],
)
def test_a_fault_is_named_by_its_field(path: str, value: Any, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_settings(changed(path, value))
    assert caught.value.code == "invalid_settings"
    assert caught.value.field == field
    assert caught.value.message.startswith(f"{field}: ")


def test_a_location_that_nobody_declared_is_named_with_its_shop() -> None:
    with pytest.raises(Rejected, match=r"shops\.aurora\.locations: there is no location 'attic'"):
        parse_settings(changed("shops.aurora.locations", ["main", "attic"]))


def test_all_faults_are_listed_at_once() -> None:
    document = changed("shops.aurora.platform", "magento")
    document["shops"]["borealis"]["address"] = "http://x"
    with pytest.raises(Rejected) as caught:
        parse_settings(document)
    assert "shops.aurora.platform: " in caught.value.message
    assert "shops.borealis.address: " in caught.value.message


def test_a_fault_does_not_quote_what_was_given() -> None:
    """Somebody may have pasted a secret where it does not belong."""
    with pytest.raises(Rejected) as caught:
        parse_settings(changed("shops.aurora.access_token", "shpat_hush"))
    assert "shpat_hush" not in caught.value.describe()


def test_an_unknown_shop_is_told_with_those_that_are_known() -> None:
    settings = parse_settings(GOOD)
    for ask in (settings.shop, settings.rules_of):
        with pytest.raises(Rejected, match=r"unknown_shop \[shop\].*known: aurora, borealis"):
            ask("arora")
    with pytest.raises(Rejected, match="known: none"):
        parse_settings(changed("shops", {})).shop("aurora")


def test_settings_are_read_from_toml_and_json_alike(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "settings.toml").write_text('merchant = "Ünal"\n[locations.main]\nname = "M"\n', encoding="utf-8")
    assert read_settings_file(tmp_path / "settings.json") == GOOD
    assert parse_settings(read_settings_file(tmp_path / "settings.toml")).merchant == "Ünal"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("settings.toml", b"merchant = "),
        ("settings.json", b"{"),
        ("settings.json", b"[]"),
        ("settings.toml", b"merchant = '\xff'"),
    ],
)
def test_a_file_that_is_no_settings_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Rejected, match="invalid_settings") as caught:
        read_settings_file(tmp_path / name)
    assert name in caught.value.message


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"nowhere\.toml cannot be read"):
        read_settings_file(tmp_path / "nowhere.toml")


def test_the_local_stacks_settings_are_good() -> None:
    settings = parse_settings(read_settings_file(ROOT / "infra" / "local" / "settings.toml"))
    assert {shop.platform for shop in settings.shops.values()} == {"shopify", "woocommerce"}


def test_a_shop_that_asks_for_proof_names_who_writes() -> None:
    asks = {"customers": {"verification": {"ask": "registration"}}}
    shop = {"platform": "shopify", "address": "aurora.example", "locations": ["main"], **asks}
    document = {"locations": {"main": {"name": "Main"}}, "shops": {"aurora": shop}}
    with pytest.raises(Rejected, match="name a sender under buyers"):
        parse_settings(document)
    shop["buyers"] = {"sender": "shop@example.test", "sender_name": "Aurora"}
    assert parse_settings(document).shop("aurora").buyers is not None


PAYMENTS: Json = {
    "payments": {
        "stripe-eu": {"vendor": "stripe", "gateways": ["stripe"], "bank": "main"},
        "shop-pay": {"vendor": "shopify_payments", "shop": "aurora", "gateways": ["shopify_payments"]},
    },
    "banks": {"main": {"currency": "EUR"}},
}


def paid(path: str, value: Any) -> Json:
    """Good settings with payments, one field set."""
    document = deepcopy(GOOD | PAYMENTS)
    *parents, last = path.split(".")
    part = document
    for name in parents:
        part = part.setdefault(name, {})
    part[last] = value
    return document


def test_payments_and_books_are_read() -> None:
    settings = parse_settings(GOOD | PAYMENTS)
    assert settings.keeps_books
    assert not parse_settings(GOOD).keeps_books
    assert settings.payment_account("stripe-eu").calendar.longest_wait_days == 10
    with pytest.raises(Rejected, match="unknown_account"):
        settings.payment_account("nope")
    with pytest.raises(Rejected, match="unknown_bank"):
        settings.bank("nope")


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("payments.aurora", {"vendor": "stripe"}, "payments.aurora: a shop or back office has this name"),
        ("payments.stripe-eu.bank", "nowhere", "there is no 'nowhere' under [banks]"),
        ("payments.shop-pay.shop", "nowhere", "there is no shop 'nowhere'"),
        ("payments.shop-pay.shop", None, "say whose Shopify Payments they are"),
        ("payments.shop-pay.gateways", ["stripe"], "'stripe' of shop aurora is"),
        ("payments.stripe-eu.vendor", "alipay", "merchant_id: needed"),
        ("payments.stripe-eu.time_zone", "Mars/Olympus", "there is no time zone"),
        ("payments.stripe-eu.calendar", {"settles_days": 60}, "finance.look_back_days: 66 at the least"),
        ("finance.backoffice", "nowhere", "there is no 'nowhere' under [backoffices]"),
        ("finance.backoffice_accounts", {"clearings": "1250"}, "names no role"),
    ],
)
def test_a_fault_of_payments_says_what_to_mend(path: str, value: Any, named: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_settings(paid(path, value))
    assert named in caught.value.message
