"""Endpoints and secrets for the webhooks, read with the standard library and cached."""

import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from shared.kernel.errors import Retry
from shared.platform.aws_http import AwsService
from shared.platform.kept import Kept, json_object
from shared.webhooks.reception import Endpoint


class Section(NamedTuple):
    """The part of the settings document whose endpoints these are, and what it calls vendor and address."""

    name: str
    vendor: str
    address: str


SHOPS: Final = Section("shops", "platform", "address")
PAYMENTS: Final = Section("payments", "vendor", "merchant_id")


class EndpointDirectory:
    """The shops, or payment accounts, of the settings document, which is validated where it is written, not here."""

    def __init__(self, systems_manager: AwsService, section: Section = SHOPS) -> None:
        self._document: Kept[dict[str, Any]] = Kept(lambda: read_parameter(systems_manager))
        self._section = section

    def __call__(self, name: str) -> Endpoint | None:
        entry = self._entries().get(name)
        if entry is None:
            entry = self._entries(fresh=True).get(name)  # connected a moment ago?
        if not entry:
            return None
        section = self._section
        try:
            # A payment account need not say who the merchant is there; a shop has to say its address.
            address = (entry.get(section.address) or "") if section is PAYMENTS else entry[section.address]
            return Endpoint(name, entry[section.vendor], address)
        except (KeyError, TypeError, AttributeError) as error:
            field = f"{section.name}.{name}"
            raise Retry("bad_configuration", "its settings are incomplete", field=field) from error

    def _entries(self, *, fresh: bool = False) -> dict[str, Any]:
        entries = self._document.get(fresh=fresh).get(self._section.name) or {}
        if not isinstance(entries, dict):
            raise Retry("bad_configuration", "it is no table of names", field=self._section.name)
        return entries


class WebhookSecrets:
    """The verification secrets of every shop: one document, `{"aurora": ["current", "previous"]}`."""

    def __init__(self, secrets_manager: AwsService) -> None:
        self._document: Kept[dict[str, Any]] = Kept(lambda: read_secret(secrets_manager))

    def __call__(self, shop: str, *, fresh: bool = False) -> Sequence[str]:
        """The secrets that may be in use, none of them blank.

        Raises:
            Retry: `bad_configuration` for what is no list of texts: of a text by itself, each letter would be a secret
                that anybody can guess.
        """
        stored: Any = self._document.get(fresh=fresh).get(shop) or []
        if not isinstance(stored, list) or not all(isinstance(secret, str) for secret in stored):
            raise Retry("bad_configuration", "the webhook secrets are no list of texts", field=f"webhooks.{shop}")
        return tuple(secret for secret in stored if secret.strip())


def read_parameter(systems_manager: AwsService) -> dict[str, Any]:
    answer = systems_manager.call("AmazonSSM.GetParameter", {"Name": os.environ["SETTINGS_PARAMETER"]}, protocol="1.1")
    return json_object(answer["Parameter"]["Value"], "settings")


def read_secret(secrets_manager: AwsService) -> dict[str, Any]:
    answer = secrets_manager.call(
        "secretsmanager.GetSecretValue", {"SecretId": os.environ["WEBHOOK_SECRET_ID"]}, protocol="1.1"
    )
    return json_object(answer["SecretString"], "webhook secrets")
