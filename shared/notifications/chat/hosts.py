"""Where each chat's webhooks live. A webhook's address comes from a person, and must not lead anywhere else."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from shared.kernel.errors import Rejected
from shared.notifications.chat.payloads import ChatKind

HOSTS: Final[Mapping[ChatKind, tuple[str, ...]]] = {
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    # Workflows' addresses: the first until 2025-11, the second since. A dot in front: any host below it.
    "teams": (".logic.azure.com", ".environment.api.powerplatform.com"),
    "dingtalk": ("oapi.dingtalk.com",),
    "feishu": ("open.feishu.cn", "open.larksuite.com"),
    "wecom": ("qyapi.weixin.qq.com",),
}


def checked(kind: ChatKind, url: str) -> str:
    """The address, or `Rejected` when it is not an HTTPS address of the vendor's own. It is a secret, never quoted."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _foreign(kind) from error
    host = (parts.hostname or "").lower()
    known = any(host.endswith(name) if name.startswith(".") else host == name for name in HOSTS[kind])
    plain = parts.username is None and parts.password is None and url.isascii() and url.isprintable()
    if parts.scheme != "https" or not known or port not in (None, 443) or not plain or "\\" in url:
        raise _foreign(kind)
    return url


def _foreign(kind: ChatKind) -> Rejected:
    return Rejected(
        "foreign_webhook",
        f"the webhook's address is not one of {kind}'s own",
        field="url",
        hint=f"an https address at {' or '.join(HOSTS[kind])}",
    )
