"""The deployment's secrets, for commands that sign or check. Values never leave this process."""

import json
import os
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.kernel.errors import Rejected, Retry
from shared.platform import aws
from shared.platform.privacy_keys import derive


def webhook_secrets() -> Mapping[str, list[str]]:
    """The secrets that each shop's webhooks may be signed with; entries of another form are left out."""
    return {
        shop: [secret for secret in secrets if isinstance(secret, str) and secret]
        for shop, secrets in _document("WEBHOOK_SECRET_ID", "webhook secret").items()
        if isinstance(secrets, list)
    }


def api_credentials() -> Mapping[str, Mapping[str, str]]:
    """The credentials of each shop's API; entries of another form are left out."""
    return {
        shop: fields
        for shop, fields in _document("API_SECRET_ID", "API secret").items()
        if isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())
    }


def privacy_faults() -> list[str]:
    """What is wrong with the secret that marks and links are made with; nothing is told of its content."""
    try:
        derive(_document("PRIVACY_SECRET_ID", "privacy secret"))
    except ClientError as error:
        return [f"the privacy secret cannot be read: {error.response['Error']['Code']}"]
    except (Rejected, Retry) as error:
        return [error.message]
    return []


def _document(variable: str, what: str) -> dict[str, Any]:
    answer = aws.secrets_manager().get_secret_value(SecretId=os.environ[variable])
    try:
        document = json.loads(answer["SecretString"])
    except (KeyError, ValueError) as error:
        raise Rejected("invalid_secret", f"the {what} is not JSON", field=os.environ[variable]) from error
    if not isinstance(document, dict):
        raise Rejected("invalid_secret", f"the {what} is not a JSON object", field=os.environ[variable])
    return document
