"""The deployment's own keys for marks and links, derived from one secret that the stack generated.

The secret is a document, `{"root": "…"}`. The marks' key never changes: with another root nothing is found again. Links
may be signed anew at any time: put `"links": ["new key"]` beside the root. Those signed with the root's own key hold
until they expire, for every key in the list and the root's verifies; the first one signs.
"""

import hashlib
import hmac
import os
from functools import cache
from typing import Any, NamedTuple

from shared.kernel.errors import Retry
from shared.platform import aws
from shared.platform.configuration import reachable
from shared.platform.kept import Kept, json_object

_SHORTEST_ROOT = 32


class PrivacyKeys(NamedTuple):
    marker_key: bytes
    link_keys: tuple[bytes, ...]
    """The first one signs, every one verifies."""


def privacy_keys() -> PrivacyKeys:
    """Kept for some minutes.

    Raises:
        Retry: the secret cannot be read, or holds no root.
    """
    return _kept().get()


def derive(document: dict[str, Any]) -> PrivacyKeys:
    """The keys of a secret's document, or `Retry` with code `bad_configuration` until somebody mends it."""
    root, links = document.get("root"), document.get("links", [])
    if not isinstance(root, str) or len(root) < _SHORTEST_ROOT:
        raise Retry("bad_configuration", f"the privacy secret has no root of {_SHORTEST_ROOT} characters", field="root")
    if not isinstance(links, list) or not all(isinstance(key, str) and len(key) >= _SHORTEST_ROOT for key in links):
        raise Retry("bad_configuration", "links is no list of keys as long as the root", field="links")
    own = _derived(root, "links")
    return PrivacyKeys(_derived(root, "marks"), (*(_derived(key, "links") for key in links), own))


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"storebridge {purpose}".encode(), hashlib.sha256)


@cache
def _kept() -> Kept[PrivacyKeys]:
    return Kept(_read)


def _read() -> PrivacyKeys:
    with reachable():
        answer = aws.secrets_manager().get_secret_value(SecretId=os.environ["PRIVACY_SECRET_ID"])
    return derive(json_object(answer["SecretString"], "privacy secret"))
