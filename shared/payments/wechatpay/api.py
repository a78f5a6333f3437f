"""One way of calling WeChat Pay's API v3, and what its answers mean.

Every call is signed with the key of the merchant's API certificate, and every answer by WeChat, but files: those come
with a digest that a signed answer states. Source: pay.weixin.qq.com, APIv3 "signing requests" and error codes, as
`wechatpay-go` and `wechatpayv3` implement them.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx

from shared.kernel import strict_json
from shared.kernel.clock import Clock
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected, Retry
from shared.payments.http import TIMEOUT, download, exchange, place_of, refused, refused_access
from shared.payments.wechatpay.schemas import BillAddress
from shared.payments.wechatpay.signature import SCHEME, is_signed, sign

ADDRESS: Final = "https://api.mch.weixin.qq.com"
_HOSTS: Final = ("api.mch.weixin.qq.com", "api2.mch.weixin.qq.com")
_LATER: Final = frozenset({"STATEMENT_CREATING", "SYSTEM_ERROR", "BANK_ERROR", "FREQUENCY_LIMITED"})

Nonce = Callable[[], str]


class Answer(NamedTuple):
    body: Mapping[str, Any]
    error: str
    """WeChat's code of what it did not do; empty where it did."""


class WeChatPayApi:
    """One merchant's access, with the credentials `private_key` (PEM), `serial_no` (of the merchant's API certificate)
    and `platform_keys`: `SERIAL PEM…` as among the webhook secrets, one or several.

    Raises (every method):
        Retry: as :func:`shared.payments.http.exchange`; where WeChat says that it is not ready.
        Rejected: `payments_auth`, `payments_refused`.
    """

    def __init__(
        self, merchant_id: str, address: str | None, credentials: Credentials, http: httpx.Client, clock: Clock
    ) -> None:
        self._merchant_id = merchant_id
        self._address = (address or ADDRESS).rstrip("/")
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self.nonce: Nonce = lambda: secrets.token_hex(16)

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """The signed answer. Credentials are read again once when they are refused."""
        url = f"{self._address}{path}?{urlencode(query)}"
        try:
            return self._get(url, self._credentials())
        except Rejected as refusal:
            if refusal.code != "payments_auth":
                raise
        return self._get(url, self._credentials(fresh=True))

    def file(self, place: BillAddress, *, most_bytes: int) -> bytes:
        """A bill, whole: its digest is compared.

        Raises:
            Retry: `payments_damaged`.
            Rejected: `file_too_large`.
        """
        if place.hash_type != "SHA1":
            raise refused("the bill's digest is of a kind that is not known here")
        headers = {"authorization": self._authorisation(self._of_wechat(place.download_url), self._credentials())}
        content = download(self._http, place.download_url, most_bytes=most_bytes, headers=headers)
        if hashlib.sha1(content, usedforsecurity=False).hexdigest() != place.hash_value.lower():
            raise Retry("payments_damaged", "the bill is not the one that was announced")
        return content

    def _get(self, url: str, credentials: Mapping[str, str]) -> Answer:
        keys = _credential(credentials, "platform_keys")
        headers = {
            "accept": "application/json",
            "authorization": self._authorisation(url, credentials),
            "wechatpay-serial": keys.split(maxsplit=1)[0] if keys.strip() else "",
        }
        response = exchange(lambda: self._http.get(url, headers=headers, follow_redirects=False, timeout=TIMEOUT))
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise refused_access(f"WeChat Pay refuses our credentials (HTTP {response.status_code})")
        told = {name.lower(): value for name, value in response.headers.items()}
        if not is_signed(told, response.content, keys=[keys], now=self._clock().timestamp()):
            raise refused_access(
                "the answer is not signed by a key of WeChat Pay's that is stored here, or our clock is wrong",
                field="platform_keys",
            )
        return _judged(response)

    def _authorisation(self, url: str, credentials: Mapping[str, str]) -> str:
        target = httpx.URL(url).raw_path.decode("ascii")
        at, nonce = int(self._clock().timestamp()), self.nonce()
        signature = sign(f"GET\n{target}\n{at}\n{nonce}\n\n".encode("ascii"), _credential(credentials, "private_key"))
        stated = {
            "mchid": self._merchant_id,
            "nonce_str": nonce,
            "signature": signature,
            "timestamp": str(at),
            "serial_no": _credential(credentials, "serial_no"),
        }
        return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in stated.items())

    def _of_wechat(self, url: str) -> str:
        """Our signature goes nowhere else."""
        ours, theirs = urlsplit(self._address), place_of(url)
        same = (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
        if not same and (theirs.scheme != "https" or theirs.netloc not in _HOSTS):
            raise refused("the bill's address is not one of WeChat Pay's")
        return url


def _judged(response: httpx.Response) -> Answer:
    try:
        body = strict_json.parse(response.content)
    except Rejected as error:
        raise refused(f"the answer is not JSON: {error.message}") from error
    if not isinstance(body, dict):
        raise refused("the answer is something other than an object")
    if response.status_code == HTTPStatus.OK:
        return Answer(body, "")
    code = str(body.get("code") or f"HTTP_{response.status_code}")
    if code in _LATER:
        raise Retry("payments_not_ready", f"WeChat Pay asks us to come later: {code}")
    return Answer(body, code)


def require_done(answer: Answer) -> Mapping[str, Any]:
    if answer.error:
        plain = "".join(letter for letter in answer.error if letter.isascii() and (letter.isalnum() or letter == "_"))
        raise refused(f"WeChat Pay refuses: {plain[:80]}")
    return answer.body


def _credential(credentials: Mapping[str, str], name: str) -> str:
    try:
        return credentials[name]
    except KeyError as error:
        raise refused_access(f"the account's credentials lack {name}") from error
