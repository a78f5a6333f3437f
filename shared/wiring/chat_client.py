"""Chat notifiers over one HTTP connection pool, their addresses and signing secrets from the API secret."""

import ssl
from collections.abc import Mapping
from functools import cache, partial

import httpx

from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.notifications.chat.client import TIMEOUT, ChatNotifier
from shared.platform.configuration import ApiCredentials
from shared.platform.settings import ChatChannel


@cache
def notifier(chat: ChatChannel) -> ChatNotifier:
    """One webhook's notifier, made when first needed and kept for the environment's life."""
    return ChatNotifier(chat.kind, partial(_secret, chat.secret), _http(), utc_now)


def _secret(name: str) -> Mapping[str, str]:
    try:
        return _api_secret().of(name)
    except Rejected as error:
        raise Rejected(
            "no_chat_secret",
            f"the API secret has no entry {name}",
            field=f"api.{name}",
            hint='add {"url": "…"} and, where the robot signs, "signing_secret"',
        ) from error


@cache
def _api_secret() -> ApiCredentials:
    return ApiCredentials()


@cache
def _http() -> httpx.Client:
    from shared.platform.outbound import transport  # noqa: PLC0415 - with httpcore 40 modules, at the first call

    tls = ssl.create_default_context()
    guarded = {"all://": transport(tls)}
    return httpx.Client(timeout=TIMEOUT, verify=tls, follow_redirects=False, mounts=guarded)
