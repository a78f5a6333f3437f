"""Where a running function finds its settings and the shops' API credentials."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.errors import Rejected, Retry
from shared.platform import aws, configuration
from shared.platform.configuration import ApiCredentials, load_settings
from shared.platform.kept import Kept
from tests.unit.platform.clocks import VirtualClock

pytestmark = pytest.mark.usefixtures("aws_services")

DOCUMENT: dict[str, Any] = {
    "locations": {"main": {"name": "Main"}},
    "shops": {"aurora": {"platform": "shopify", "address": "aurora.myshopify.com", "locations": ["main"]}},
}
CREDENTIALS = {"aurora": {"access_token": "shpat_1"}, "odd": "text", "numbers": {"consumer_key": 12}}


@pytest.fixture(autouse=True)
def _names(aws_services: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOREBRIDGE_SETTINGS", raising=False)
    monkeypatch.setenv("SETTINGS_PARAMETER", "/storebridge/settings")
    monkeypatch.setenv("API_SECRET_ID", "storebridge/api")
    aws.secrets_manager().create_secret(Name="storebridge/api", SecretString=json.dumps(CREDENTIALS))
    put_settings(json.dumps(DOCUMENT))


def put_settings(text: str) -> None:
    aws.ssm().put_parameter(Name="/storebridge/settings", Value=text, Type="String", Overwrite=True)


def test_settings_come_from_the_parameter() -> None:
    assert load_settings().shop("aurora").address == "aurora.myshopify.com"


def test_a_file_stands_in_for_the_parameter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(DOCUMENT | {"merchant": "From a file"}), encoding="utf-8")
    monkeypatch.setenv("STOREBRIDGE_SETTINGS", str(file))
    assert load_settings().merchant == "From a file"


@pytest.mark.parametrize("text", ["nonsense", "[]", '"text"', '{"locations": {}}'])
def test_a_broken_parameter_is_no_messages_fault(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that meets it stays in its queue until somebody has mended the settings."""
    clock = VirtualClock()
    monkeypatch.setattr(configuration, "_settings", Kept(load_settings, clock))
    put_settings(text)
    with pytest.raises(Retry, match="bad_configuration"):
        configuration.settings()
    put_settings(json.dumps(DOCUMENT))
    clock.pass_(10.1)
    assert configuration.settings().shop("aurora").platform == "shopify"


def test_a_fault_in_the_settings_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "_settings", Kept(load_settings, VirtualClock()))
    put_settings(json.dumps(DOCUMENT | {"colour": "blue"}))
    with pytest.raises(Rejected, match=r"invalid_settings \[colour\]"):
        load_settings()
    with pytest.raises(Retry, match=r"bad_configuration \[colour\]"):
        configuration.settings()


def test_settings_are_kept_for_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VirtualClock()
    monkeypatch.setattr(configuration, "_settings", Kept(load_settings, clock))
    assert configuration.settings().merchant == ""
    put_settings(json.dumps(DOCUMENT | {"merchant": "Renamed"}))
    clock.pass_(200)
    assert configuration.settings().merchant == ""
    clock.pass_(200)
    assert configuration.settings().merchant == "Renamed"


def test_credentials_are_a_shops_own_and_text() -> None:
    assert ApiCredentials().of("aurora") == {"access_token": "shpat_1"}
    assert ApiCredentials().of("numbers") == {"consumer_key": "12"}


@pytest.mark.parametrize("shop", ["borealis", "odd"])
def test_no_credentials_are_refused_with_the_way_out(shop: str) -> None:
    with pytest.raises(Rejected) as caught:
        ApiCredentials().of(shop)
    assert (caught.value.code, caught.value.field) == ("no_api_access", f"api.{shop}")
    assert caught.value.hint is not None
    assert "api_access = false" in caught.value.hint


def test_renewed_credentials_are_read_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VirtualClock()
    monkeypatch.setattr(Kept.__init__, "__defaults__", (clock,))
    credentials = ApiCredentials()
    credentials.of("aurora")
    renewed = json.dumps({"aurora": {"access_token": "shpat_2"}})
    aws.secrets_manager().put_secret_value(SecretId="storebridge/api", SecretString=renewed)
    clock.pass_(11)
    assert credentials.of("aurora") == {"access_token": "shpat_1"}
    assert credentials.of("aurora", fresh=True) == {"access_token": "shpat_2"}


@pytest.mark.parametrize("text", ["shpat_hush", '["shpat_hush"]'])
def test_a_broken_secret_is_not_quoted(text: str) -> None:
    aws.secrets_manager().put_secret_value(SecretId="storebridge/api", SecretString=text)
    with pytest.raises(Retry, match="bad_configuration") as caught:
        ApiCredentials().of("aurora")
    assert "shpat_hush" not in caught.value.describe()
