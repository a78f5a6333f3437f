"""Where a running function finds its settings and the shops' API credentials. Cached for some minutes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.kernel.errors import Rejected, Retry
from shared.platform import aws
from shared.platform.kept import Kept, json_object
from shared.platform.settings import Settings, parse_settings, read_settings_file


def load_settings() -> Settings:
    """The settings of this deployment, read now, or `Rejected` naming what is wrong in them."""
    path = os.environ.get("STOREBRIDGE_SETTINGS")
    if path:
        return parse_settings(read_settings_file(Path(path)))
    with reachable():
        answer = aws.ssm().get_parameter(Name=os.environ["SETTINGS_PARAMETER"])
    return parse_settings(json_object(answer["Parameter"]["Value"], "settings"))


_settings: Kept[Settings] = Kept(load_settings)


def settings() -> Settings:
    """The same, kept for some minutes, for functions at work: settings that are broken are no message's fault.

    Raises:
        Retry: `bad_configuration`, until somebody mends them.
    """
    try:
        return _settings.get()
    except Rejected as error:
        raise Retry("bad_configuration", error.message, field=error.field, hint=error.hint) from error


class ApiCredentials:
    """The shops' API credentials: one secret document, `{"aurora": {"access_token": "…"}}`."""

    def __init__(self) -> None:
        self._document: Kept[dict[str, Any]] = Kept(_read_api_secret)

    def of(self, shop: str, *, fresh: bool = False) -> Mapping[str, str]:
        """One shop's credentials, or `Rejected` with code `no_api_access` when none are set."""
        found = self._document.get(fresh=fresh).get(shop)
        if not isinstance(found, dict):
            raise Rejected(
                "no_api_access",
                f"no API credentials are set for shop {shop}",
                field=f"api.{shop}",
                hint="add them to the API secret, or set api_access = false for the shop",
            )
        return {str(name): str(value) for name, value in found.items()}


def _read_api_secret() -> dict[str, Any]:
    with reachable():
        answer = aws.secrets_manager().get_secret_value(SecretId=os.environ["API_SECRET_ID"])
    return json_object(answer["SecretString"], "API secret")


@contextmanager
def reachable() -> Iterator[None]:
    """Turn AWS's errors into `Retry` with code `configuration_unreachable` and a hint for whoever set it up."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        hint = _HINTS.get(code)
        raise Retry("configuration_unreachable", f"the configuration cannot be read: {code}", hint=hint) from error
    except BotoCoreError as error:
        raise Retry("configuration_unreachable", f"the configuration cannot be read: {type(error).__name__}") from error


_HINTS = {
    "ParameterNotFound": "put the settings there first: storebridge settings push FILE",
    "ResourceNotFoundException": "the stack makes this secret: was it deleted?",
    "AccessDeniedException": "work with a role that may read it",
}
