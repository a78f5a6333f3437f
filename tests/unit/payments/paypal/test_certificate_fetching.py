"""The one thing that the signature check asks of the network, over real TLS on loopback."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.samples import paypal
from shared.kernel.errors import Rejected, Retry
from shared.payments.paypal.signature import MOST_CERTIFICATE_BYTES, fetch_certificate

_ANSWERS = {
    "/good": (200, paypal.signer().pem),
    "/huge": (200, b"x" * (MOST_CERTIFICATE_BYTES * 3)),
    "/moved": (302, b""),
    "/absent": (404, b""),
    "/broken": (503, b""),
    "/busy": (429, b""),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked.append(self.path)
        status, body = _ANSWERS[self.path]
        self.send_response(status)
        self.send_header("location", f"https://localhost:{self.server.port}/good")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that does not trust us hangs up."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `localhost`, with its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[_Server]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = _Server(tls)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fetch(server: _Server, certificate: Path, path: str, host: str = "localhost") -> bytes:
    return fetch_certificate(host, path, port=server.port, tls=ssl.create_default_context(cafile=str(certificate)))


def test_a_certificate_is_fetched(server: _Server, certificate: Path) -> None:
    assert fetch(server, certificate, "/good") == paypal.signer().pem


def test_no_more_is_read_than_a_certificate_has(server: _Server, certificate: Path) -> None:
    assert len(fetch(server, certificate, "/huge")) == MOST_CERTIFICATE_BYTES + 1


@pytest.mark.parametrize("path", ["/moved", "/absent"])
def test_nothing_is_followed_and_what_is_not_there_is_refused(server: _Server, certificate: Path, path: str) -> None:
    with pytest.raises(Rejected, match="unauthorised"):
        fetch(server, certificate, path)
    assert server.asked == [path]


@pytest.mark.parametrize("path", ["/broken", "/busy"])
def test_a_failing_host_is_asked_again_later(server: _Server, certificate: Path, path: str) -> None:
    with pytest.raises(Retry, match="certificate_unreachable"):
        fetch(server, certificate, path)


def test_a_host_whose_own_certificate_is_not_trusted_is_not_asked(server: _Server, certificate: Path) -> None:
    with pytest.raises(Retry, match="certificate_unreachable"):
        fetch_certificate("localhost", "/good", port=server.port)
    with pytest.raises(Retry, match="certificate_unreachable"):
        fetch(server, certificate, "/good", host="127.0.0.1")
    assert server.asked == []


def test_a_host_that_is_not_there_is_asked_again_later(certificate: Path) -> None:
    with pytest.raises(Retry, match="certificate_unreachable"):
        fetch_certificate("localhost", "/good", port=1, tls=ssl.create_default_context(cafile=str(certificate)))
