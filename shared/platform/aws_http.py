"""The few AWS calls of a webhook, with the standard library alone.

A webhook must answer within 5 seconds, cold start included. botocore's signer alone takes 140 ms to import, this
module 30; `tests/unit/platform/test_aws_http.py` holds its signatures against botocore's.
"""

import hashlib
import hmac
import http.client
import json
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from shared.kernel.errors import Retry

TIMEOUT_SECONDS = 2.0
_STALE_CONNECTION = (
    http.client.RemoteDisconnected,
    ConnectionResetError,
    BrokenPipeError,
    http.client.CannotSendRequest,
)


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    session_token: str | None

    @classmethod
    def from_environment(cls) -> "Credentials":
        """Lambda hands a function its role's credentials through the environment."""
        return cls(
            os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN")
        )


class Request(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class AwsService:
    """One AWS service in the function's region, over one kept-alive connection."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._region = os.environ["AWS_REGION"]
        self.endpoint = _endpoint(service, self._region)
        self._connection: http.client.HTTPConnection | None = None

    def call(self, target: str, body: Mapping[str, Any], *, protocol: str = "1.0") -> dict[str, Any]:
        """Call an operation of a JSON protocol service: `call("AmazonSQS.SendMessage", {…})`.

        Raises:
            Retry: the service refuses or is out of reach. The outcome may be unknown.
        """
        headers = {"content-type": f"application/x-amz-json-{protocol}", "x-amz-target": target}
        answer = self._send(Request("POST", self.endpoint + "/", headers, json.dumps(body).encode()), target)
        result: dict[str, Any] = json.loads(answer) if answer else {}
        return result

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object in S3, or raise `Retry`."""
        url = f"{self.endpoint}/{bucket}/{quote(key)}"
        headers = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        self._send(Request("PUT", url, headers, body), "S3.PutObject")

    def _send(self, request: Request, name: str) -> bytes:
        signed = sign(request, self._service, self._region, Credentials.from_environment(), datetime.now(UTC))
        try:
            try:
                status, answer = self._exchange(request, signed)
            except _STALE_CONNECTION:  # the other side closed a connection that was kept while the function slept
                self._drop_connection()
                status, answer = self._exchange(request, signed)
        except (OSError, http.client.HTTPException) as error:
            self._drop_connection()
            raise Retry("aws_unreachable", f"{name}: {type(error).__name__}") from error
        if status >= http.HTTPStatus.MULTIPLE_CHOICES:
            raise Retry("aws_refused", f"{name} answers HTTP {status} {_error_type(answer)}")
        return answer

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, request: Request, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = _connect(request.url)
        target = urlsplit(request.url)
        self._connection.request(request.method, target.path, body=request.body, headers=dict(headers))
        response = self._connection.getresponse()
        return response.status, response.read()


def sign(request: Request, service: str, region: str, credentials: Credentials, now: datetime) -> dict[str, str]:
    """The request's headers with its Signature Version 4 (AWS Signature Version 4 documentation, "Create a signed
    AWS API request"). Queries are not supported: no call here has one.
    """
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    target = urlsplit(request.url)
    headers = {**request.headers, "host": target.netloc, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = sorted(headers)
    canonical = "\n".join(
        [
            request.method,
            target.path,
            "",
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return headers


def _endpoint(service: str, region: str) -> str:
    """The same variables that AWS's own SDKs honour, or the service's regional address."""
    override = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (override or f"https://{service}.{region}.{suffix}").rstrip("/")


def _connect(url: str) -> http.client.HTTPConnection:
    target = urlsplit(url)
    if target.scheme == "http":  # a local stack
        return http.client.HTTPConnection(target.hostname or "", target.port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(target.hostname or "", target.port, timeout=TIMEOUT_SECONDS, context=_tls())


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _error_type(answer: bytes) -> str:
    try:
        return str(json.loads(answer).get("__type", ""))
    except (ValueError, AttributeError):
        return ""
