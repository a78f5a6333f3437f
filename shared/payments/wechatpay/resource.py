"""What a notification of WeChat Pay's holds, encrypted: AES-256-GCM with the merchant's API v3 key. Pure.

Source: pay.weixin.qq.com, APIv3 "decrypting notifications". The tag is at the end of the ciphertext.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.kernel import strict_json
from shared.kernel.errors import Rejected
from shared.payments.wechatpay.schemas import Resource

ALGORITHM: Final = "AEAD_AES_256_GCM"
_KEY_BYTES: Final = 32
_MARK: Final = "APIv3"


def resource_keys(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """The API v3 keys among an account's webhook secrets.

    Raises:
        Rejected: `bad_secret`, where one has not 32 bytes.
    """
    found = [text.split(maxsplit=1) for text in secrets]
    keys = tuple(entry[1].strip().encode("utf-8") for entry in found if len(entry) > 1 and entry[0] == _MARK)
    if any(len(key) != _KEY_BYTES for key in keys):
        raise Rejected(
            "bad_secret",
            "an API v3 key has 32 characters",
            field="webhooks",
            hint="store it as one entry: APIv3, a blank, and the key as it was set at pay.weixin.qq.com",
        )
    return keys


def opened(resource: Resource, keys: Sequence[bytes]) -> dict[str, Any]:
    """The JSON object inside.

    Raises:
        Rejected: `unreadable_resource`, when none of the keys opens it: it was changed, or is for another merchant;
            what `strict_json` raises of what was inside.
    """
    if resource.algorithm != ALGORITHM:
        raise _unreadable("it is encrypted in a way that is not known here")
    try:
        sealed = base64.b64decode(resource.ciphertext.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise _unreadable("it is not base64") from error
    told = strict_json.parse(_decrypted(sealed, resource, keys))
    if not isinstance(told, dict):
        raise Rejected("invalid_payload", "there is no JSON object in the resource", field="resource")
    return told


def sealed(content: bytes, key: bytes, *, nonce: str, associated_data: str) -> dict[str, str]:
    """A resource as WeChat sends it. For tests, demos and fakes."""
    ciphertext = AESGCM(key).encrypt(nonce.encode("utf-8"), content, associated_data.encode("utf-8"))
    return {
        "algorithm": ALGORITHM,
        "ciphertext": base64.b64encode(ciphertext).decode("ascii"),
        "associated_data": associated_data,
        "nonce": nonce,
    }


def _decrypted(sealed: bytes, resource: Resource, keys: Sequence[bytes]) -> bytes:
    nonce, associated = resource.nonce.encode("utf-8"), resource.associated_data.encode("utf-8")
    for key in keys:
        try:
            return AESGCM(key).decrypt(nonce, sealed, associated)
        except (InvalidTag, ValueError):  # a nonce of another length, too short to hold a tag
            continue
    raise _unreadable("no key of this account opens it")


def _unreadable(message: str) -> Rejected:
    return Rejected(
        "unreadable_resource",
        f"what the notification holds cannot be read: {message}",
        field="resource",
        hint="store the merchant's API v3 key among the account's webhook secrets: APIv3, a blank, and the key",
    )
