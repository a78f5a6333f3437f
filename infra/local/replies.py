"""What a function's reply says about a batch, by Lambda's rules for `ReportBatchItemFailures`. Pure."""

import json
from collections.abc import Collection

from infra.local.outcomes import Outcome


def failed_items(outcome: Outcome, items: Collection[str], *, partial: bool) -> set[str]:
    """Which of the items are to be tried again.

    All of them when the function failed, and when its reply names an item that is not in the batch, or none, or is
    not of the form `{"batchItemFailures": [{"itemIdentifier": "…"}]}`. None when the list is absent, null or empty.
    """
    if outcome.failed:
        return set(items)
    if not partial:
        return set()
    try:
        named = _identifiers(json.loads(outcome.payload or b"null"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return set(items)
    unknown = named.difference(items)
    return set(items) if unknown else named


def _identifiers(reply: object) -> set[str]:
    if reply is None or reply == "":
        return set()
    if not isinstance(reply, dict):
        raise TypeError("the reply is not an object")
    failures = reply.get("batchItemFailures")
    if failures is None:
        return set()
    identifiers = [failure["itemIdentifier"] for failure in failures]
    if not all(isinstance(identifier, str) and identifier for identifier in identifiers):
        raise ValueError("an identifier is empty")
    return set(identifiers)
