"""How Stripe signs an event. Standard library only: it is on the 5-second path.

`Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>][,v0=<hex>]`: each `v1` is HMAC-SHA256 over `<t>.<raw body>`, keyed
with the whole text of the endpoint's secret (`whsec_…`). While a secret is rolled, both sign, in one header. `v0` is
for test events of an older scheme and proves nothing. Topic, test and account are in the signed body.
Source: stripe/stripe-python 15.3.1, and docs.stripe.com, "Receive Stripe events in your webhook endpoint".
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from shared.kernel import strict_json
from shared.kernel.errors import Rejected
from shared.webhooks.ingress import Authenticated, WebhookRequest, refuse_signature, require_json

SIGNATURE_HEADER: Final = "stripe-signature"
TOLERANCE_SECONDS: Final = 300
"""How old a signature may be, and how far ahead of our clock. Stripe's own libraries refuse only old ones."""

_LONGEST_HEADER: Final = 2_000
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TOPIC: Final = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_\[\]]+){0,8}", re.ASCII)
_LONGEST_TOPIC: Final = 100
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_THIN: Final = "v2.core.event"


class _Signature(NamedTuple):
    signed_at: str
    """As it is written: it is part of what is signed."""
    digests: tuple[str, ...]


def authenticate(
    request: WebhookRequest,
    *,
    secrets: Sequence[str],
    shop_address: str,
    now: Callable[[], float] = time.time,
) -> Authenticated:
    """Accept an event of the account `shop_address` (`acct_…`; blank where the settings name none).

    Events of connected accounts name theirs, signed: one endpoint may get those of all accounts of a platform. An event
    that names none is of the account that the endpoint belongs to. `now` is Unix time in seconds.

    Raises:
        Rejected: `unauthorised`, `unsupported_media_type`, what `strict_json` raises, `wrong_account`,
            `unsupported_topic`, judged in this order.
    """
    _require_signature(request, secrets, now())
    require_json(request.headers)
    event = strict_json.parse(request.body)
    if not isinstance(event, dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    require_account(event, shop_address)
    return Authenticated(
        topic=_topic(event),
        delivery_id=_text(event.get("id")),
        triggered_at=_triggered_at(event.get("created")),
        api_version=_text(event.get("api_version")),
        test=event.get("livemode") is False,
        well_formed=True,
    )


def require_account(event: Mapping[str, Any], merchant_id: str | None) -> None:
    """Refuse an event that names another account than ours.

    Raises:
        Rejected: `wrong_account`.
    """
    stated = event.get("context") if event.get("object") == _THIN else event.get("account")
    if stated in (None, "") or stated == merchant_id:
        return
    raise Rejected(
        "wrong_account",
        "the event names another account than this endpoint's",
        field="account",
        hint="check merchant_id in the settings, and that the endpoint listens to your own account's events",
    )


def signature_header(body: bytes, *secrets: str, signed_at: int) -> str:
    """What Stripe would send with these bytes, by all of these secrets. For tests, demos and replays."""
    digests = ",".join(f"v1={_digest(secret, str(signed_at), body)}" for secret in secrets)
    return f"t={signed_at},{digests}"


def request_headers(body: bytes, *secrets: str, signed_at: int) -> dict[str, str]:
    """The headers of an event as Stripe sends it, names in lower case. For tests, demos and replays."""
    return {
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "content-type": "application/json; charset=utf-8",
        "content-length": str(len(body)),
        SIGNATURE_HEADER: signature_header(body, *secrets, signed_at=signed_at),
    }


def _require_signature(request: WebhookRequest, secrets: Sequence[str], now: float) -> None:
    """Every secret is tried with every digest, whichever fits, and each in constant time."""
    signature = _parsed(request.headers.get(SIGNATURE_HEADER, ""))
    if abs(now - int(signature.signed_at)) > TOLERANCE_SECONDS:
        refuse_signature()
    matches = [
        hmac.compare_digest(_digest(secret, signature.signed_at, request.body), given)
        for secret in secrets
        if secret
        for given in signature.digests
    ]
    if not any(matches):
        refuse_signature()


def _parsed(header: str) -> _Signature:
    """Exactly one time: of a header that came twice, and was joined on the way, nobody can tell which one is meant."""
    if len(header) > _LONGEST_HEADER or not header.isascii():
        refuse_signature()
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    digests = tuple(value for name, _, value in parts if name == "v1" and _DIGEST.fullmatch(value))
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]) or not digests:
        refuse_signature()
    return _Signature(times[0], digests)


def _digest(secret: str, signed_at: str, body: bytes) -> str:
    return hmac.digest(secret.encode("utf-8"), signed_at.encode("ascii") + b"." + body, hashlib.sha256).hex()


def _topic(event: Mapping[str, Any]) -> str:
    topic = event.get("type")
    if not isinstance(topic, str) or len(topic) > _LONGEST_TOPIC or not _TOPIC.fullmatch(topic):
        raise Rejected("unsupported_topic", "the event has no type that could be one of Stripe's", field="type")
    return topic


def _triggered_at(created: object) -> str | None:
    """Seconds in snapshot events, text in thin ones."""
    if isinstance(created, int) and not isinstance(created, bool) and 0 <= created < _LATEST:
        return f"{datetime.fromtimestamp(created, UTC).replace(tzinfo=None).isoformat()}.000000000Z"
    return _text(created)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_TOPIC else None
