"""Endpoints and secrets as the webhook reads them: from two documents, seldom."""

from typing import Any

import pytest

from shared.kernel.errors import Retry
from shared.platform.webhook_settings import EndpointDirectory, WebhookSecrets, read_parameter, read_secret
from shared.webhooks.reception import Endpoint
from tests.unit.platform.clocks import VirtualClock
from tests.unit.platform.services import ScriptedService

AURORA = {"platform": "shopify", "address": "aurora.myshopify.com", "locations": ["main"]}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTINGS_PARAMETER", "/storebridge/settings")
    monkeypatch.setenv("WEBHOOK_SECRET_ID", "storebridge/webhooks")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    clock = VirtualClock()
    monkeypatch.setattr("shared.platform.kept.Kept.__init__.__defaults__", (clock,))
    return clock


def test_a_shop_is_found_in_the_settings_document() -> None:
    systems_manager = ScriptedService({"shops": {"aurora": AURORA}})
    directory = EndpointDirectory(systems_manager)
    assert directory("aurora") == Endpoint("aurora", "shopify", "aurora.myshopify.com")
    assert directory("aurora") is not None
    assert systems_manager.calls == [("AmazonSSM.GetParameter", {"Name": "/storebridge/settings"}, "1.1")]


def test_a_shop_that_was_connected_a_moment_ago_is_found(clock: VirtualClock) -> None:
    systems_manager = ScriptedService({"shops": {}})
    directory = EndpointDirectory(systems_manager)
    assert directory("aurora") is None
    systems_manager.document = {"shops": {"aurora": AURORA}}
    clock.pass_(11)
    assert directory("aurora") == Endpoint("aurora", "shopify", "aurora.myshopify.com")


@pytest.mark.parametrize("document", [{}, {"shops": {}}, {"shops": {"borealis": AURORA}}])
def test_an_unknown_shop_is_nobody_and_costs_few_reads(document: dict[str, Any], clock: VirtualClock) -> None:
    systems_manager = ScriptedService(document)
    directory = EndpointDirectory(systems_manager)
    for _ in range(1000):
        clock.pass_(0.01)
        assert directory("aurora") is None
    assert len(systems_manager.calls) == 1
    clock.pass_(10)
    assert directory("aurora") is None
    assert len(systems_manager.calls) == 2


def test_secrets_are_a_shops_own_list() -> None:
    secrets_manager = ScriptedService({"aurora": ["current", "previous"], "borealis": ["other"]})
    secrets = WebhookSecrets(secrets_manager)
    assert secrets("aurora") == ("current", "previous")
    assert secrets("borealis") == ("other",)
    assert secrets("nobody") == ()
    assert secrets_manager.calls == [
        ("secretsmanager.GetSecretValue", {"SecretId": "storebridge/webhooks"}, "1.1"),
    ]


def test_a_rotated_secret_is_read_on_demand(clock: VirtualClock) -> None:
    secrets_manager = ScriptedService({"aurora": ["old"]})
    secrets = WebhookSecrets(secrets_manager)
    secrets("aurora")
    secrets_manager.document = {"aurora": ["new", "old"]}
    clock.pass_(11)
    assert secrets("aurora") == ("old",)
    assert secrets("aurora", fresh=True) == ("new", "old")
    assert secrets("aurora") == ("new", "old")


@pytest.mark.parametrize("document", ["not json", "hush-hush", "", "[]", '"hush-hush"', "null", "12"])
def test_a_broken_document_is_a_retry_that_does_not_quote_it(document: str) -> None:
    for read in (read_parameter, read_secret):
        with pytest.raises(Retry, match="bad_configuration") as caught:
            read(ScriptedService(document))
        assert "hush-hush" not in caught.value.describe()


def test_a_store_out_of_reach_is_a_retry_and_is_asked_again(clock: VirtualClock) -> None:
    secrets_manager = ScriptedService({"aurora": ["current"]})
    secrets_manager.down = True
    secrets = WebhookSecrets(secrets_manager)
    with pytest.raises(Retry):
        secrets("aurora")
    secrets_manager.down = False
    clock.pass_(10.1)
    assert secrets("aurora") == ("current",)


@pytest.mark.parametrize("stored", ["whsec_hush-hush", {"current": "hush-hush"}, [["hush-hush"]], [None], 5, True])
def test_secrets_that_are_no_list_of_texts_let_nobody_in(stored: object) -> None:
    """A text by itself is a list of letters in Python: a signature by the key `w` would hold."""
    with pytest.raises(Retry, match="bad_configuration") as caught:
        WebhookSecrets(ScriptedService({"aurora": stored}))("aurora")
    assert "hush" not in caught.value.describe()


def test_blank_secrets_are_none() -> None:
    secrets = WebhookSecrets(ScriptedService({"aurora": ["", " ", "current"], "borealis": None, "cirrus": [""]}))
    assert (secrets("aurora"), secrets("borealis"), secrets("cirrus")) == (("current",), (), ())


@pytest.mark.parametrize("section", [[], "x", [{"aurora": {}}], 5])
def test_a_section_that_is_no_table_is_a_retry(section: object) -> None:
    directory = EndpointDirectory(ScriptedService({"shops": section}))
    if not section:
        assert directory("aurora") is None
        return
    with pytest.raises(Retry, match="bad_configuration"):
        directory("aurora")
