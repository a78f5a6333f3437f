"""Endpoints and secrets for the webhooks, read with the standard library and cached."""

import os
from collections.abc import Sequence
from typing import Any

from shared.kernel.errors import Retry
from shared.platform.aws_http import AwsService
from shared.platform.kept import Kept, json_object
from shared.webhooks.reception import Endpoint


class EndpointDirectory:
    """The shops of the settings document. The document is validated where it is written, not here."""

    def __init__(self, systems_manager: AwsService) -> None:
        self._document: Kept[dict[str, Any]] = Kept(lambda: read_parameter(systems_manager))

    def __call__(self, shop: str) -> Endpoint | None:
        entry = self._shops().get(shop)
        if entry is None:
            entry = self._shops(fresh=True).get(shop)  # connected a moment ago?
        try:
            return Endpoint(shop, entry["platform"], entry["address"]) if entry else None
        except (KeyError, TypeError) as error:
            raise Retry("bad_configuration", "the shop's settings are incomplete", field=f"shops.{shop}") from error

    def _shops(self, *, fresh: bool = False) -> dict[str, Any]:
        shops: dict[str, Any] = self._document.get(fresh=fresh).get("shops", {})
        return shops


class WebhookSecrets:
    """The verification secrets of every shop: one document, `{"aurora": ["current", "previous"]}`."""

    def __init__(self, secrets_manager: AwsService) -> None:
        self._document: Kept[dict[str, list[str]]] = Kept(lambda: read_secret(secrets_manager))

    def __call__(self, shop: str, *, fresh: bool = False) -> Sequence[str]:
        return tuple(self._document.get(fresh=fresh).get(shop, ()))


def read_parameter(systems_manager: AwsService) -> dict[str, Any]:
    answer = systems_manager.call("AmazonSSM.GetParameter", {"Name": os.environ["SETTINGS_PARAMETER"]}, protocol="1.1")
    return json_object(answer["Parameter"]["Value"], "settings")


def read_secret(secrets_manager: AwsService) -> dict[str, Any]:
    answer = secrets_manager.call(
        "secretsmanager.GetSecretValue", {"SecretId": os.environ["WEBHOOK_SECRET_ID"]}, protocol="1.1"
    )
    return json_object(answer["SecretString"], "webhook secrets")
