"""The settings document as it is deployed: the parameter that the functions read."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from shared.kernel.errors import Rejected
from shared.kernel.model import faults_of as kernel_faults
from shared.platform import aws
from shared.platform.settings import parse_settings

Json = dict[str, Any]

MAX_BYTES = 8192
"""The largest value that a Systems Manager parameter takes (advanced tier)."""


def find_document() -> Json | None:
    """The deployed document, or None before the first `settings push`."""
    try:
        answer = aws.ssm().get_parameter(Name=os.environ["SETTINGS_PARAMETER"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise
    try:
        document = json.loads(answer["Parameter"]["Value"])
    except ValueError as error:
        raise Rejected("invalid_settings", "the deployed settings are not JSON", field="settings") from error
    if not isinstance(document, dict):
        raise Rejected("invalid_settings", "the deployed settings are not a JSON object", field="settings")
    return document


def deployed_document() -> Json:
    """The deployed document, or `Rejected` with code `no_settings`."""
    document = find_document()
    if document is None:
        hint = "put them there: storebridge settings push FILE"
        raise Rejected("no_settings", "no settings are deployed yet", field="settings", hint=hint)
    return document


def faults_of(document: Mapping[str, Any]) -> list[Json]:
    """Every fault of a document, by field; none when it is valid."""
    try:
        parse_settings(document)
    except Rejected as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        found = kernel_faults(error.__cause__)
        return [{"field": fault.field or "settings", "message": fault.message} for fault in found]
    return []


def write_document(document: Mapping[str, Any], *, create: bool) -> None:
    """Store a valid document where the functions read it. They notice within some minutes.

    Raises:
        Rejected: `settings_too_large`.
    """
    text = json.dumps(document, ensure_ascii=False)
    size = len(text.encode("utf-8"))
    if size > MAX_BYTES:
        message = f"the settings take {size} bytes; a parameter holds {MAX_BYTES}"
        raise Rejected("settings_too_large", message, field="settings")
    name = os.environ["SETTINGS_PARAMETER"]
    if create:
        aws.ssm().put_parameter(Name=name, Value=text, Type="String", Tier="Intelligent-Tiering")
    else:
        aws.ssm().put_parameter(Name=name, Value=text, Overwrite=True, Tier="Intelligent-Tiering")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Json]:
    """What changes from one document to the other: `field`, `before`, `after`; None where a field is not there."""
    old, new = dict(leaves(before)), dict(leaves(after))
    return [
        {"field": field, "before": old.get(field), "after": new.get(field)}
        for field in sorted(old.keys() | new.keys())
        if old.get(field) != new.get(field)
    ]


def leaves(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with its path. A list is one value."""
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{path}.")
        else:
            yield path, value
