"""No request of ours leads to where nobody means: whatever a name resolves to, however an address is written."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import httpcore
import httpx
import pytest

from infra.samples import alipay, wechatpay
from shared.kernel.errors import Rejected, Retry
from shared.notifications.chat.hosts import HOSTS, checked
from shared.payments.alipay.client import AlipayClient
from shared.payments.http import download, place_of
from shared.payments.paypal.signature import Certificates
from shared.payments.port import AccountContext
from shared.payments.wechatpay.api import WeChatPayApi
from shared.payments.wechatpay.schemas import BillAddress
from shared.platform.outbound import Guard, permitted, transport
from shared.storefronts.http import call
from shared.wiring import backoffice_connection, chat_client, payment_feeds, storefront_client

FORBIDDEN = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
    "100.64.0.1",
    *(
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
    ),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:10.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::127.0.0.1"),
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo, of 127.0.0.1
)
PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822")
NEVER = ("169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "fe80::1", "224.0.0.1", "::ffff:169.254.169.254")  # noqa: S104


class Resolver:
    """DNS, as it answers: each question from the list in turn, the last answer again and again."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in answer
        ]


class Wire(httpcore.NetworkBackend):
    """Notes where connections go, and makes none."""

    def __init__(self) -> None:
        self.connected: list[str] = []

    def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.connected.append(host)
        raise httpcore.ConnectError("nobody is there")


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Resolver]:
    def to(*answers: tuple[str, ...]) -> Resolver:
        resolver = Resolver(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        return resolver

    return to


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_that_leads_there_is_not_called(resolves: Callable[..., Resolver], address: str) -> None:
    resolves((address,))
    wire = Wire()
    with pytest.raises(Rejected, match="forbidden_address"):
        Guard(wire, own_network=False).connect_tcp("shop.example", 443)
    assert wire.connected == []


@pytest.mark.parametrize("address", FORBIDDEN)
def test_one_good_address_beside_it_helps_nothing(resolves: Callable[..., Resolver], address: str) -> None:
    for answer in ((PUBLIC[0], address), (address, PUBLIC[0])):
        resolves(answer)
        with pytest.raises(Rejected, match="forbidden_address"):
            permitted("shop.example", 443, own_network=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_connection_goes_to_the_address_that_was_judged(resolves: Callable[..., Resolver], address: str) -> None:
    """DNS rebinding: a second look-up would lead to the metadata."""
    resolver = resolves((address,), ("169.254.169.254",))
    wire = Wire()
    with pytest.raises(httpcore.ConnectError):
        Guard(wire, own_network=False).connect_tcp("shop.example", 443)
    assert wire.connected == [str(ipaddress.ip_address(address))]
    assert resolver.asked == ["shop.example"]


@pytest.mark.parametrize("written", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "0x7f000001", "127.0.0.1."])
def test_no_odd_way_to_write_an_address_is_one_that_was_chosen(written: str) -> None:
    """The system's resolver reads them as the address that they hide; none of them is asked of a name server."""
    try:
        found = socket.getaddrinfo(written, 443, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        pytest.skip("not an address to this system")
    assert found
    with pytest.raises(Rejected, match="forbidden_address"):
        permitted(written, 443, own_network=True)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("own_network", [False, True])
def test_what_nobody_means_is_refused_although_the_settings_say_it(address: str, own_network: bool) -> None:
    with pytest.raises(Rejected, match="forbidden_address"):
        permitted(address, 80, own_network=own_network)


def test_a_back_office_may_be_in_the_merchant_s_own_network(resolves: Callable[..., Resolver]) -> None:
    resolves(("10.0.0.5", "fd12::5"))
    assert len(permitted("erp.internal", 443, own_network=True)) == 2
    for address in ("127.0.0.1", "169.254.169.254", "::1"):
        resolves((address,))
        with pytest.raises(Rejected, match="forbidden_address"):
            permitted("erp.internal", 443, own_network=True)


CLIENTS: Mapping[str, Callable[[], httpx.Client]] = {
    "shops": storefront_client.http.__wrapped__,
    "payments": payment_feeds._http.__wrapped__,
    "back offices": backoffice_connection._http.__wrapped__,
    "chats": chat_client._http.__wrapped__,
}


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_of_ours_is_guarded(
    name: str, resolves: Callable[..., Resolver], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    resolves(("169.254.169.254",))
    with CLIENTS[name]() as http, pytest.raises(Rejected, match="forbidden_address"):
        http.get("https://shop.example/")
    with CLIENTS[name]() as http, pytest.raises(Rejected, match="forbidden_address"):
        http.get("http://[::ffff:169.254.169.254]/latest/meta-data/")


def test_a_guarded_connection_works(resolves: Callable[..., Resolver]) -> None:
    """To a server on the loopback address, which is written as it is; TLS is not spoken here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        http = httpx.Client(mounts={"all://": transport(ssl.create_default_context())}, trust_env=False)

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")

        thread = threading.Thread(target=answer)
        thread.start()
        with http:
            assert http.get(f"http://127.0.0.1:{port}/").text == "ok"
        thread.join()


LOCATIONS = ("http://169.254.169.254/", "https://evil.example/", "//evil.example", "file:///etc/passwd", "gopher://x")


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(location: str, status: int) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, headers={"location": location})

    http = httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=False)
    assert call(lambda _: http.get("https://shop.example/"), lambda **_: {}).status_code == status
    follows = httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True)
    with pytest.raises(Rejected, match="payments_refused"):
        download(follows, "https://bills.example/x", most_bytes=100)
    assert {request.url.host for request in asked} == {"shop.example", "bills.example"}


def urls(host: str) -> list[str]:
    """Addresses that one reader or another could take for the host's, and lead elsewhere."""
    return [
        *(f"https://{host}@evil.example/x", f"https://evil.example/?{host}", f"https://evil.example/#{host}"),
        *(f"https://evil.example\\@{host}/x", f"https://{host}.evil.example/x", f"https://evil{host}/x"),
        *(f"https://{host}%2eevil.example/x", f"https://{host}\t.evil.example/x", f"https://{host}\n/x"),
        *(f"https://user:word@{host}/x", f"https://{host}:80@evil.example/", f"https://{host}%00.evil.example/"),
        *(
            f"ftp://{host}/x",
            f"file://{host}/x",
            f"//{host}/x",
            f"javascript://{host}/%0aalert(1)",
            f"https:///{host}/x",
        ),
        *(f"https://{host}／x", "https://①②⑦.⓪.⓪.①/", "https://169.254.169.254/", "https://[::ffff:7f00:1]/"),
        *("https://2130706433/", "https://0x7f.1/", "https://127.0.0.1/", "https://localhost/", "", " ", "https://"),
        *(f"https://{host}。evil.example/", f"https://\u200b{host}.evil.example/", f"https://{host} .evil.example/"),
    ]


@pytest.mark.parametrize("url", urls("qyapi.weixin.qq.com"))
def test_a_chat_s_address_is_the_vendor_s_own(url: str) -> None:
    with pytest.raises(Rejected, match="foreign_webhook"):
        checked("wecom", url)


def test_a_chat_s_domain_takes_what_is_below_it_and_nothing_else() -> None:
    for kind, hosts in HOSTS.items():
        for host in hosts:
            genuine = f"x{host}" if host.startswith(".") else host
            assert checked(kind, f"https://{genuine}/hook")
            for forged in (f"https://{genuine}.evil.example/", f"http://{genuine}/", f"https://{genuine}:8443/"):
                with pytest.raises(Rejected):
                    checked(kind, forged)


@pytest.mark.parametrize("url", urls("alipay.com"))
def test_a_bill_of_alipay_s_is_fetched_from_alipay_alone(url: str) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(HTTPStatus.NOT_FOUND)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = AlipayClient(AccountContext("alipay-cn", alipay.APP_ID), None, lambda **_: {}, http, wechat_now)
    with pytest.raises(Rejected, match="payments_refused"):
        client._of_alipay(url)
    assert asked == []


def wechat_now() -> Any:
    return wechatpay.SIGNED_AT


@pytest.mark.parametrize("url", urls("api.mch.weixin.qq.com"))
def test_a_bill_of_wechat_s_is_fetched_from_wechat_alone_and_no_signature_goes_elsewhere(url: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(HTTPStatus.NOT_FOUND)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    keys = {"private_key": wechatpay.keys().private, "serial_no": "1", "platform_keys": wechatpay.secrets()[0]}
    api = WeChatPayApi(wechatpay.MERCHANT_ID, None, lambda **_: keys, http, wechat_now)
    with pytest.raises((Rejected, Retry), match="payments_refused"):
        api.file(BillAddress(download_url=url, hash_type="SHA1", hash_value="0" * 40), most_bytes=100)
    assert asked == []


@pytest.mark.parametrize("url", urls("api.paypal.com"))
def test_a_certificate_is_fetched_from_paypal_alone(url: str) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(host: str, path: str) -> bytes:
        asked.append((host, path))
        return b""

    for each in (url, f"{url}/v1/notifications/certs/CERT-1", url.replace("/x", "/v1/notifications/certs/CERT-1")):
        with pytest.raises(Rejected, match="unauthorised"):
            Certificates(fetch).key_of(each, 0.0)
    assert asked == []


@pytest.mark.parametrize("url", [*urls("x.example"), "https://x.example\u2028/"])
def test_an_address_that_parsers_read_differently_is_none(url: str) -> None:
    """Those that pass are held against the vendor's hosts after it: there is one way to read them."""
    try:
        place = place_of(url)
    except Rejected:
        return
    assert place.username is None
    assert place.netloc == httpx.URL(url).netloc.decode("ascii").removesuffix(":443")
