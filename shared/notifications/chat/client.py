"""Post notices to chat webhooks: one client for all five vendors, who differ in payload, signature and answer."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

import httpx

from shared.kernel import strict_json
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.notifications.chat import payloads
from shared.notifications.chat.hosts import checked
from shared.notifications.chat.payloads import ChatKind, Payload
from shared.notifications.port import Notice

TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
_PAYLOADS: Final[Mapping[ChatKind, Callable[[Notice], Payload]]] = {
    "slack": payloads.slack,
    "teams": payloads.teams,
    "dingtalk": payloads.dingtalk,
    "feishu": payloads.feishu,
    "wecom": payloads.wecom,
}
_ANSWER_CODES: Final[Mapping[ChatKind, str]] = {"dingtalk": "errcode", "feishu": "code", "wecom": "errcode"}
"""These answer 200 to everything, and say in this field of the body how it went; 0 is well."""
_PASSING: Final[Mapping[ChatKind, frozenset[int]]] = {
    # -1: busy. DingTalk 130101, Feishu 11232, WeCom 45009: too many messages in a minute.
    "dingtalk": frozenset({-1, 130101}),
    "feishu": frozenset({-1, 11232}),
    "wecom": frozenset({-1, 45009}),
}


class ChatSecret(Protocol):
    def __call__(self) -> Mapping[str, str]:
        """`url`, and `signing_secret` where the robot signs; or `Rejected` when there is no such secret."""
        ...


class ChatNotifier:
    """A `Notifier` for one webhook."""

    def __init__(self, kind: ChatKind, secret: ChatSecret, http: httpx.Client, clock: Clock) -> None:
        self._kind: ChatKind = kind
        self._secret = secret
        self._http = http
        self._clock = clock

    def send(self, notice: Notice) -> None:
        """Post it. Errors name neither the address, which is a secret, nor what the notice says.

        Raises:
            Retry: `chat_unreachable`, `chat_throttled`, `chat_failed`.
            Rejected: `foreign_webhook`, `no_chat_secret`, `chat_refused`.
        """
        secret = self._secret()
        url = checked(self._kind, secret.get("url", ""))
        payload, query = self._signed(_PAYLOADS[self._kind](notice), secret.get("signing_secret"))
        target = httpx.URL(url).copy_merge_params(query) if query else httpx.URL(url)
        try:
            response = self._http.post(target, json=payload, timeout=TIMEOUT, follow_redirects=False)
        except httpx.HTTPError as error:
            raise Retry("chat_unreachable", f"{self._kind} does not answer: {type(error).__name__}") from error
        self._judge(response)

    def _signed(self, payload: Payload, secret: str | None) -> tuple[Payload, Mapping[str, str]]:
        if secret and self._kind == "dingtalk":
            return payload, payloads.dingtalk_signature(secret, self._clock())
        if secret and self._kind == "feishu":
            return {**payloads.feishu_signature(secret, self._clock()), **payload}, {}
        return payload, {}

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Retry("chat_throttled", f"{self._kind} asks us to slow down")
        if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Retry("chat_failed", f"{self._kind} fails with HTTP {status}")
        if not response.is_success:
            raise _refused(self._kind, f"HTTP {status}")
        field = _ANSWER_CODES.get(self._kind)
        if field is not None:
            self._judge_code(_code(response, field))

    def _judge_code(self, code: int | None) -> None:
        if code is None:
            raise Retry("chat_failed", f"{self._kind} answers without saying how it went")
        if code in _PASSING[self._kind]:
            raise Retry("chat_throttled", f"{self._kind} answers {code}")
        if code:
            raise _refused(self._kind, f"its code {code}")


def _code(response: httpx.Response, field: str) -> int | None:
    try:
        answer: Any = strict_json.parse(response.content)
    except Rejected:
        return None
    code = answer.get(field) if isinstance(answer, dict) else None
    return code if isinstance(code, int) else None


def _refused(kind: ChatKind, how: str) -> Rejected:
    return Rejected(
        "chat_refused",
        f"{kind} refuses the notice with {how}",
        field="url",
        hint="check that the webhook still exists, its signing secret and its keyword rules",
    )
