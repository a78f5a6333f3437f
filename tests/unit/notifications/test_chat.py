"""Each chat's webhook: the documented shape, signature and answer, and no other host than the vendor's."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.kernel.errors import Rejected, Retry, StorebridgeError
from shared.notifications.chat import payloads
from shared.notifications.chat.client import ChatNotifier
from shared.notifications.chat.hosts import checked
from shared.notifications.chat.payloads import ChatKind
from shared.notifications.port import Notice
from tests.builders.notices import digest, notice

NOW = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
URLS: dict[ChatKind, str] = {
    "slack": "https://hooks.slack.com/services/T0/B0/xyz",
    "teams": "https://ab12.4a.environment.api.powerplatform.com:443/powerautomate/x/triggers/manual?sig=s-1",
    "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=t-1",
    "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/h-1",
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k-1",
}
WELL: dict[ChatKind, tuple[int, bytes]] = {
    "slack": (200, b"ok"),
    "teams": (202, b""),
    "dingtalk": (200, b'{"errcode":0,"errmsg":"ok"}'),
    "feishu": (200, b'{"code":0,"msg":"success","data":{}}'),
    "wecom": (200, b'{"errcode":0,"errmsg":"ok"}'),
}
KINDS: tuple[ChatKind, ...] = ("slack", "teams", "dingtalk", "feishu", "wecom")


class Vendor:
    """Answers as it is told, and remembers what it was sent."""

    def __init__(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        self.answer = (status, body, headers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, body, headers = self.answer
        return httpx.Response(status, content=body, headers=headers)

    def notifier(self, kind: ChatKind, **secret: str) -> ChatNotifier:
        client = httpx.Client(transport=httpx.MockTransport(self))
        return ChatNotifier(kind, lambda: {"url": URLS[kind], **secret}, client, lambda: NOW)


def send(kind: ChatKind, sent: Notice, **secret: str) -> tuple[httpx.Request, Any]:
    vendor = Vendor(*WELL[kind])
    vendor.notifier(kind, **secret).send(sent)
    (request,) = vendor.requests
    return request, json.loads(request.content)


def test_slack_takes_a_header_and_a_section_with_its_three_characters_escaped() -> None:
    request, body = send("slack", notice(title="MUG <@U1> & more", text="a < b"))
    assert str(request.url) == URLS["slack"]
    assert body == {
        "text": "MUG &lt;@U1&gt; &amp; more",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "MUG <@U1> & more", "emoji": False}},
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": "a &lt; b\nAvailable to sell: 3 units\nProposed order: 12 units",
                    "verbatim": True,
                },
            },
        ],
    }


def test_teams_takes_an_adaptive_card_in_a_message() -> None:
    _, body = send("teams", notice())
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [block["type"] for block in card["body"]] == ["RichTextBlock"] * 4
    assert [block["inlines"][0]["text"] for block in card["body"]] == notice().lines()


def test_dingtalk_takes_a_text_and_mentions_nobody() -> None:
    request, body = send("dingtalk", notice())
    assert body == {"msgtype": "text", "text": {"content": "\n".join(notice().lines())}, "at": {"isAtAll": False}}
    assert dict(request.url.params) == {"access_token": "t-1"}


def test_dingtalk_is_signed_with_milliseconds_in_the_query() -> None:
    request, _ = send("dingtalk", notice(), signing_secret="SEC1")
    timestamp = "1795435200250"
    digest_ = hmac.new(b"SEC1", f"{timestamp}\nSEC1".encode(), hashlib.sha256).digest()
    assert dict(request.url.params) == {
        "access_token": "t-1",
        "timestamp": timestamp,
        "sign": base64.b64encode(digest_).decode(),
    }
    assert b"+" not in request.url.query  # which a server would read as a space


def test_feishu_takes_a_post_of_text_runs_in_the_notices_language() -> None:
    _, body = send("feishu", notice(language="zh"))
    lines = notice(language="zh").lines()
    assert body == {
        "msg_type": "post",
        "content": {
            "post": {"zh_cn": {"title": lines[0], "content": [[{"tag": "text", "text": line}] for line in lines[1:]]}}
        },
    }
    assert "en_us" in send("feishu", notice())[1]["content"]["post"]


def test_feishu_is_signed_with_seconds_in_the_body() -> None:
    request, body = send("feishu", notice(), signing_secret="s-1")
    digest_ = hmac.new(b"1795435200\ns-1", b"", hashlib.sha256).digest()
    assert (body["timestamp"], body["sign"]) == ("1795435200", base64.b64encode(digest_).decode())
    assert not request.url.query


def test_wecom_takes_a_text_of_2048_bytes_and_mentions_nobody() -> None:
    _, body = send("wecom", notice(title="<@all> MUG"))
    assert body["msgtype"] == "text"
    assert body["text"]["content"].startswith("< @all> MUG\n")
    long = payloads.wecom(digest(500, language="zh"))["text"]["content"]
    assert len(long.encode()) <= 2048
    shown = long.count("SKU SKU-")
    assert long.endswith(f"… +{500 - shown}")


@pytest.mark.parametrize(
    ("kind", "most"), [("slack", 4000), ("teams", 28 * 1024), ("dingtalk", 20_000), ("feishu", 20 * 1024)]
)
def test_a_long_digest_is_shortened_to_what_the_vendor_takes(kind: ChatKind, most: int) -> None:
    request, body = send(kind, digest(2_000))
    said = json.dumps(body, ensure_ascii=False)
    assert "SKU-00000" in said
    assert "… +" in said
    assert most * 0.6 <= len(request.content) <= most
    if kind == "slack":
        assert len(body["blocks"][1]["text"]["text"]) <= 3000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "error"), [(429, Retry), (500, Retry), (503, Retry), (404, Rejected), (302, Rejected)]
)
def test_an_http_failure_is_passing_or_final(kind: ChatKind, status: int, error: type[StorebridgeError]) -> None:
    vendor = Vendor(status, b"nope", location="https://elsewhere.example/")
    with pytest.raises(error) as caught:
        vendor.notifier(kind).send(notice())
    assert len(vendor.requests) == 1  # a redirect is not followed
    assert_tells_no_secret(caught.value, kind)


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast"}', Retry),
        ("dingtalk", b'{"errcode":310000,"errmsg":"sign not match"}', Rejected),
        ("feishu", b'{"code":11232,"msg":"frequency limited"}', Retry),
        ("feishu", b'{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}', Rejected),
        ("feishu", b'{"code":9499,"msg":"Bad Request"}', Rejected),
        ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}', Retry),
        ("wecom", b'{"errcode":93000,"errmsg":"invalid webhook url"}', Rejected),
        ("wecom", b"<html>", Retry),
        ("wecom", b"[]", Retry),
    ],
)
def test_an_answer_of_200_may_still_be_a_failure(kind: ChatKind, body: bytes, error: type[StorebridgeError]) -> None:
    with pytest.raises(error) as caught:
        Vendor(200, body).notifier(kind).send(notice())
    assert_tells_no_secret(caught.value, kind)


def test_no_answer_is_passing() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out", request=request)

    client = httpx.Client(transport=httpx.MockTransport(refuse))
    notifier = ChatNotifier("slack", lambda: {"url": URLS["slack"]}, client, lambda: NOW)
    with pytest.raises(Retry, match="chat_unreachable"):
        notifier.send(notice())


@pytest.mark.parametrize("kind", KINDS)
def test_the_vendors_own_addresses_are_taken(kind: ChatKind) -> None:
    assert checked(kind, URLS[kind]) == URLS[kind]


FOREIGN = [
    "",
    "http://hooks.slack.com/services/x",
    "https://hooks.slack.com.evil.example/x",
    "https://evilhooks.slack.com/x",
    "https://hooks.slack.com:8443/x",
    "https://hooks.slack.com@evil.example/x",
    "https://user:pw@hooks.slack.com/x",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/x",
    "https://hooks.slack.com\\@evil.example/x",
    "https://hooks.slack.com:99999/x",
    "https://hooks。slack.com/x",
    "file:///etc/passwd",
    "https://oapi.dingtalk.com/robot/send",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_no_other_address_is_called(url: str) -> None:
    vendor = Vendor()
    client = httpx.Client(transport=httpx.MockTransport(vendor))
    with pytest.raises(Rejected, match="foreign_webhook") as caught:
        ChatNotifier("slack", lambda: {"url": url}, client, lambda: NOW).send(notice())
    assert vendor.requests == []
    assert not url or url not in str(caught.value)


def test_a_host_below_the_vendors_domain_must_be_below_it() -> None:
    for url in ("https://logic.azure.com/x", "https://evil-logic.azure.com/x", "https://x.logic.azure.com.example/x"):
        with pytest.raises(Rejected):
            checked("teams", url)
    assert checked("teams", "https://prod-03.westus.logic.azure.com:443/workflows/1?sig=2")


def assert_tells_no_secret(error: BaseException, kind: ChatKind) -> None:
    told = repr(error) + str(error)
    assert URLS[kind].rpartition("/")[2] not in told
    assert "MUG" not in told
