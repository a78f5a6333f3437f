"""One way of calling Alipay's gateway, and what its answers mean.

Every call is a signed form, every answer JSON with a signature over the exact text of its one node. Source: the common
parameters and error codes of open.alipay.com; `alipay-sdk-python-all` signs and verifies in the same way.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from shared.kernel import strict_json
from shared.kernel.clock import Clock
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected, Retry
from shared.payments.alipay.signature import ZONE, sign, verify
from shared.payments.http import TIMEOUT, exchange, refused, refused_access

ADDRESS: Final = "https://openapi.alipay.com"
Node = Mapping[str, Any]

_DONE: Final = "10000"
_BUSY: Final = frozenset({"20000"})
"""The gateway's "service is not available"."""
_ACCESS: Final = frozenset({"20001", "40003", "40006"})
"""No or expired authorisation, missing rights."""
_ACCESS_WORDS: Final = ("signature", "sign-type", "app-id", "app-auth-token", "permission", "access_forbidden")
"""Of sub codes such as `isv.invalid-signature`: the call is refused for who we are, not for what we ask."""
_LATER_WORDS: Final = ("call-limited", "system_error", "system-error", "unknow")
"""`isp.app-call-limited`, `ACQ.SYSTEM_ERROR`, `UNKNOW_ERROR` as Alipay spells it."""
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----")


class AlipayGateway:
    """One app's access, with the credentials `app_id`, `private_key` and `alipay_public_key`: PEM or bare base64, and
    several of them (bare ones one a line) while Alipay's key is being changed.

    Raises (every method):
        Retry: as :func:`shared.payments.http.exchange`, and where Alipay answers that it is busy.
        Rejected: `payments_auth`, `payments_refused` with Alipay's own code.
    """

    def __init__(self, address: str | None, credentials: Credentials, http: httpx.Client, clock: Clock) -> None:
        self._url = f"{(address or ADDRESS).rstrip('/')}/gateway.do"
        self._credentials = credentials
        self._http = http
        self._clock = clock

    def call(self, method: str, content: Mapping[str, str]) -> Node:
        """The answer's node, whatever it says of the business: see :func:`sub_code`. Credentials are read again once
        when they are refused."""
        try:
            return self._call(method, content, self._credentials())
        except Rejected as refusal:
            if refusal.code != "payments_auth":
                raise
        return self._call(method, content, self._credentials(fresh=True))

    def _call(self, method: str, content: Mapping[str, str], credentials: Mapping[str, str]) -> Node:
        form = self._signed(method, content, credentials)
        response = exchange(lambda: self._http.post(self._url, data=form, follow_redirects=False, timeout=TIMEOUT))
        if response.status_code != HTTPStatus.OK:
            raise refused(f"the gateway answers with HTTP {response.status_code}")
        node, text, signature = _parts(response, method.replace(".", "_") + "_response")
        _judge(node)
        if not signature and sub_code(node):
            raise refused(f"Alipay refuses: {_plain(sub_code(node))}")
        if not verify(text, signature, _public_keys(credentials)):
            raise refused_access(
                "the answer is not signed with Alipay's key as it is stored here", field="alipay_public_key"
            )
        return node

    def _signed(self, method: str, content: Mapping[str, str], credentials: Mapping[str, str]) -> dict[str, str]:
        fields = {
            "app_id": _credential(credentials, "app_id"),
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{self._clock().astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        }
        return {**fields, "sign": sign(request_content(fields), _credential(credentials, "private_key"))}


def request_content(fields: Mapping[str, str]) -> bytes:
    """The bytes that a call's signature is made over. Unlike in notifications, `sign_type` is signed."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign").encode("utf-8")


def sub_code(node: Node) -> str:
    """Why Alipay did not do what was asked, in lower case; empty where it did."""
    return "" if node.get("code") == _DONE else str(node.get("sub_code") or node.get("code") or "unknown").lower()


def require_done(node: Node) -> Node:
    if sub_code(node):
        raise refused(f"Alipay refuses: {_plain(sub_code(node))}")
    return node


def _judge(node: Node) -> None:
    """Raise for what is no matter of business."""
    code, reason = str(node.get("code") or ""), sub_code(node)
    if code in _BUSY or any(word in reason for word in _LATER_WORDS):
        raise Retry("payments_throttled", f"Alipay asks us to come later: {_plain(reason)}")
    if code in _ACCESS or any(word in reason for word in _ACCESS_WORDS):
        raise refused_access(f"Alipay refuses our credentials: {_plain(reason)}")


def _parts(response: httpx.Response, name: str) -> tuple[Node, bytes, str]:
    """The node, its exact bytes, and the signature: empty where there is none, as with a refused app id."""
    try:
        whole = strict_json.parse(response.content)
    except Rejected as error:
        raise refused(f"the gateway does not answer with JSON: {error.message}") from error
    if not isinstance(whole, dict):
        raise refused("the gateway answers with something other than an object")
    name = name if name in whole else "error_response"
    node = whole.get(name)
    if not isinstance(node, dict):
        raise refused("the gateway's answer has no node for what was asked")
    text = _members(response.content.decode("utf-8"))[name]
    return node, text.encode("utf-8"), str(whole.get("sign") or "")


def _members(text: str) -> dict[str, str]:
    """The exact texts of an object's values, by name. The text is known to be a JSON object."""
    decoder = json.JSONDecoder()
    members: dict[str, str] = {}
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        begin = _skip(text, at, ":")
        _, at = decoder.raw_decode(text, begin)
        members[str(name)] = text[begin:at]
        at = _skip(text, at, ",")
    return members


def _skip(text: str, at: int, separators: str = "") -> int:
    while text[at] in separators or text[at] in " \t\r\n":
        at += 1
    return at


def _public_keys(credentials: Mapping[str, str]) -> list[str]:
    stored = _credential(credentials, "alipay_public_key")
    return _PEM.findall(stored) or [stored, *stored.splitlines()]


def _credential(credentials: Mapping[str, str], name: str) -> str:
    try:
        return credentials[name]
    except KeyError as error:
        raise refused_access(f"the account's credentials lack {name}") from error


def _plain(reason: str) -> str:
    """Only what looks like one of Alipay's codes goes into a message."""
    kept = "".join(letter for letter in reason if letter.isascii() and (letter.isalnum() or letter in "._-"))
    return kept[:80] or "no code"
