"""The webhook's own AWS client: botocore is the oracle for its signatures, a loopback server for its connections."""

import hashlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Retry
from shared.platform import aws_http
from shared.platform.aws_http import AwsService, Credentials, Request, sign

NOW = datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "session-token-of-the-role"

key_text = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=20)
secret_text = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+=", min_size=20, max_size=60)
credentials = st.builds(Credentials, key_text, secret_text, st.none() | secret_text)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
header_names = st.sampled_from(["content-type", "x-amz-target", "x-amz-meta-note", "x-custom"])
header_values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
headers = st.dictionaries(header_names, header_values)
regions = st.sampled_from(["eu-west-1", "us-east-1", "cn-north-1"])
object_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda key: "." not in key and "//" not in key and not key.startswith("/")
)


@given(
    st.sampled_from(["sqs", "ssm", "secretsmanager"]), regions, credentials, moments, headers, st.binary(max_size=300)
)
def test_a_signature_is_botocores(
    service: str, region: str, who: Credentials, now: datetime, extra: dict[str, str], body: bytes
) -> None:
    request = Request("POST", f"https://{service}.{region}.amazonaws.com/", extra, body)
    assert sign(request, service, region, who, now) == _botocore(SigV4Auth, request, service, region, who, now)


@given(regions, credentials, moments, object_keys, st.binary(max_size=300))
def test_a_stored_object_is_signed_as_botocore_signs_s3(
    region: str, who: Credentials, now: datetime, key: str, body: bytes
) -> None:
    """S3 signs the path as it is sent, without encoding it a second time."""
    hashed = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    request = Request("PUT", f"https://s3.{region}.amazonaws.com/archive/{quote(key)}", hashed, body)
    assert sign(request, "s3", region, who, now) == _botocore(S3SigV4Auth, request, "s3", region, who, now)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_body_has_another_signature(one: bytes, other: bytes) -> None:
    who = Credentials("AKID", SECRET, None)
    signed = [
        sign(Request("POST", "https://sqs.eu-west-1.amazonaws.com/", {}, body), "sqs", "eu-west-1", who, NOW)
        for body in (one, other)
    ]
    assert (signed[0] == signed[1]) == (one == other)


def test_a_local_port_is_signed_too() -> None:
    request = Request("POST", "http://127.0.0.1:4566/", {}, b"{}")
    who = Credentials("AKID", SECRET, TOKEN)
    assert sign(request, "sqs", "eu-west-1", who, NOW) == _botocore(SigV4Auth, request, "sqs", "eu-west-1", who, NOW)


def _botocore(
    auth: type[SigV4Auth], request: Request, service: str, region: str, who: Credentials, now: datetime
) -> dict[str, str]:
    """The headers that botocore signs the same request with at the same moment."""
    given = AWSRequest(method=request.method, url=request.url, headers=dict(request.headers), data=request.body)
    given.headers["Host"] = urlsplit(request.url).netloc  # else it is signed without being set
    signer = auth(BotocoreCredentials(who.access_key, who.secret_key, who.session_token), service, region)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda **_: now.replace(tzinfo=None))
        signer.add_auth(given)
    return {name.lower(): value for name, value in given.headers.items()}


@dataclass
class Service:
    """A loopback HTTP server: answers one request after another by its script, and notes what it was asked."""

    script: list[Callable[[socket.socket], None]]
    requests: list[bytes] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        script = iter(self.script)
        for step in script:
            try:
                connection, _ = listener.accept()
            except OSError:  # the test is over before its script
                return
            self.connections.append(connection)
            current: Callable[[socket.socket], None] | None = step
            with suppress(OSError):  # a client that has heard enough may hang up at any moment, and so may the test
                while current is not None and self._read(connection):
                    current(connection)
                    current = None if current in _LAST else next(script, None)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def _read(self, connection: socket.socket) -> bool:
        with connection.makefile("rb") as stream:
            head = b"".join(iter(stream.readline, b"\r\n"))
            if not head:
                return False
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
            self.requests.append(head + b"\r\n" + stream.read(length))
        return True


def answer(connection: socket.socket, body: bytes = b'{"MessageId":"m1"}', status: str = "200 OK") -> None:
    connection.sendall(b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status.encode(), len(body), body))


def answer_and_hang_up(connection: socket.socket) -> None:
    answer(connection)
    hang_up(connection)


def hang_up(connection: socket.socket) -> None:
    """Close without a word, as a peer does with a connection that was idle too long."""
    connection.shutdown(socket.SHUT_RDWR)


def refuse(connection: socket.socket) -> None:
    body = json.dumps({"__type": "com.amazonaws#AccessDenied", "message": f"role with {SECRET}"}).encode()
    answer(connection, body, "403 Forbidden")


def fail(connection: socket.socket) -> None:
    answer(connection, b"<html>oops</html>", "503 Service Unavailable")


def babble(connection: socket.socket) -> None:
    connection.sendall(b"this is not HTTP\r\n\r\n")


def say_nothing(connection: socket.socket) -> None:
    """Let the client wait until it gives up."""


_LAST = (hang_up, answer_and_hang_up, say_nothing)
"""After these the client has to connect again."""


@contextmanager
def served(*script: Callable[[socket.socket], None]) -> Iterator[tuple[Service, str]]:
    service = Service(list(script))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=service.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield service, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # or it would wait on, and for whoever gets its number next
            service.close()
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function keeps its connection for as long as it lives; a test closes it."""
    made: list[http.client.HTTPConnection] = []
    connect = aws_http._connect

    def connect_and_note(url: str) -> http.client.HTTPConnection:
        made.append(connect(url))
        return made[-1]

    monkeypatch.setattr(aws_http, "_connect", connect_and_note)
    yield
    for connection in made:
        connection.close()


@pytest.fixture(autouse=True)
def _role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


def _sqs(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> AwsService:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
    return AwsService("sqs")


def test_a_call_sends_the_operation_and_keeps_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(answer, answer) as (service, endpoint):
        sqs = _sqs(monkeypatch, endpoint)
        for _ in range(2):
            assert sqs.call("AmazonSQS.SendMessage", {"MessageBody": "é"}) == {"MessageId": "m1"}
    assert len(service.connections) == 1
    head, _, body = service.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST / HTTP/1.1"
    assert b"x-amz-target: AmazonSQS.SendMessage" in lines
    assert b"content-type: application/x-amz-json-1.0" in lines
    assert f"x-amz-security-token: {TOKEN}".encode() in lines
    assert SECRET.encode() not in service.requests[0]
    assert json.loads(body) == {"MessageBody": "é"}


def test_a_stale_connection_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(answer_and_hang_up, answer) as (service, endpoint):
        sqs = _sqs(monkeypatch, endpoint)
        sqs.call("AmazonSQS.SendMessage", {"n": 1})
        assert sqs.call("AmazonSQS.SendMessage", {"n": 2}) == {"MessageId": "m1"}
    assert len(service.connections) == 2
    assert [json.loads(request.partition(b"\r\n\r\n")[2])["n"] for request in service.requests] == [1, 2]


def test_a_service_that_keeps_hanging_up_is_asked_twice_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(hang_up, hang_up, answer) as (service, endpoint), pytest.raises(Retry, match="aws_unreachable"):
        _sqs(monkeypatch, endpoint).call("AmazonSQS.SendMessage", {})
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    ("step", "code"),
    [(refuse, "aws_refused"), (fail, "aws_refused"), (babble, "aws_unreachable"), (say_nothing, "aws_unreachable")],
)
def test_a_failure_is_a_retry_that_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, step: Callable[[socket.socket], None], code: str
) -> None:
    if step is say_nothing:
        monkeypatch.setattr(aws_http, "TIMEOUT_SECONDS", 0.05)
    with served(step) as (_, endpoint):
        sqs = _sqs(monkeypatch, endpoint)
        with pytest.raises(Retry) as caught:
            sqs.call("AmazonSQS.SendMessage", {"MessageBody": "buyer@example.test"})
    assert caught.value.code == code
    told = caught.value.describe()
    assert "AmazonSQS.SendMessage" in told
    assert not [hidden for hidden in (SECRET, TOKEN, "buyer", "oops") if hidden in told]


def test_the_reason_for_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(refuse) as (_, endpoint), pytest.raises(Retry, match=r"HTTP 403 com\.amazonaws#AccessDenied$"):
        _sqs(monkeypatch, endpoint).call("AmazonSQS.SendMessage", {})


def test_after_a_failure_the_next_call_connects_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(say_nothing, answer) as (service, endpoint):
        sqs = _sqs(monkeypatch, endpoint)
        with monkeypatch.context() as impatient:
            impatient.setattr(aws_http, "TIMEOUT_SECONDS", 0.05)
            with pytest.raises(Retry):
                sqs.call("AmazonSQS.SendMessage", {})
        assert sqs.call("AmazonSQS.SendMessage", {}) == {"MessageId": "m1"}
    assert len(service.connections) == 2


def test_nobody_listening_is_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Retry, match="ConnectionRefusedError"):
        _sqs(monkeypatch, f"http://127.0.0.1:{port}").call("AmazonSQS.SendMessage", {})


def test_an_object_is_put_under_its_bucket_with_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(lambda connection: answer(connection, b"")) as (service, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint + "/")
        AwsService("s3").put_object("archive", "oversize/a b.json", b"body")
    head, _, body = service.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /archive/oversize/a%20b.json HTTP/1.1\r\n")
    assert f"x-amz-content-sha256: {hashlib.sha256(b'body').hexdigest()}".encode() in head
    assert body == b"body"


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("eu-west-1", "https://secretsmanager.eu-west-1.amazonaws.com"),
        ("cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_endpoint_is_the_regions(monkeypatch: pytest.MonkeyPatch, region: str, endpoint: str) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    assert AwsService("secretsmanager").endpoint == endpoint


def test_aws_is_reached_over_verified_tls() -> None:
    connection = aws_http._connect("https://sqs.eu-west-1.amazonaws.com/")
    assert isinstance(connection, http.client.HTTPSConnection)
    assert aws_http._tls().verify_mode is ssl.CERT_REQUIRED
    assert aws_http._tls().check_hostname
    assert timedelta(seconds=connection.timeout or 0) <= timedelta(seconds=2)
