"""A notice as each chat's webhook takes it. Pure.

Texts are sent as plain text wherever the vendor has such a kind of message: a SKU with `_` or `*` in it is then shown
as it is, and nobody is mentioned by a SKU.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from shared.notifications.port import Notice, fitting

ChatKind = Literal["slack", "teams", "dingtalk", "feishu", "wecom"]
Payload = dict[str, Any]

_SLACK_MOST_CHARACTERS = 2900
_TEAMS_MOST_BYTES = 25_000
_TEAMS_PER_LINE = 80
_DINGTALK_MOST_BYTES = 15_000
_FEISHU_MOST_BYTES = 18_000
_FEISHU_PER_LINE = 40
_WECOM_MOST_BYTES = 2048


def slack(notice: Notice) -> Payload:
    """A header (plain text of at most 150 characters) and a section (mrkdwn of at most 3,000).

    `text` is what notifications show. Slack asks to escape `&`, `<` and `>` and nothing else.
    Source: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, /block-kit/blocks, /formatting.
    """
    body = "\n".join(fitting([_for_slack(line) for line in notice.lines()[1:]], _SLACK_MOST_CHARACTERS))
    return {
        "text": _for_slack(notice.title),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": notice.title[:150], "emoji": False}},
            {"type": "section", "text": {"type": "mrkdwn", "text": body, "verbatim": True}},
        ],
    }


def teams(notice: Notice) -> Payload:
    """An Adaptive Card in a message, as Workflows' "When a Teams webhook request is received" takes it; at most 28 KB.

    RichTextBlock shows its runs as they are, where TextBlock reads Markdown.
    Source: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using,
    adaptivecards.io/explorer.
    """
    title, *lines = fitting(notice.lines(), _TEAMS_MOST_BYTES, per_line=_TEAMS_PER_LINE)
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        _rich(title, size="Medium", weight="Bolder"),
                        *(_rich(line) for line in lines),
                    ],
                },
            }
        ],
    }


def dingtalk(notice: Notice) -> Payload:
    """A text message; the whole request may have 20,000 bytes.

    Source: open.dingtalk.com/document/orgapp/custom-robot-access, /document/development/robot-message-type.
    """
    return {
        "msgtype": "text",
        "text": {"content": notice.plain(_DINGTALK_MOST_BYTES)},
        "at": {"isAtAll": False},
    }


def dingtalk_signature(secret: str, now: datetime) -> Mapping[str, str]:
    """The two query parameters of a signed DingTalk robot: milliseconds, and base64 of HMAC-SHA256, keyed with the
    secret, of `milliseconds LF secret`. DingTalk takes a time within one hour of its own.

    Source: open.dingtalk.com/document/orgapp/customize-robot-security-settings.
    """
    timestamp = str(int(now.timestamp() * 1000))
    return {"timestamp": timestamp, "sign": _hmac_sha256(secret, f"{timestamp}\n{secret}")}


def feishu(notice: Notice) -> Payload:
    """A `post` of text runs, one paragraph for each line; the whole request may have 20 KB.

    Source: open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
    """
    title, *lines = fitting(notice.lines(), _FEISHU_MOST_BYTES, per_line=_FEISHU_PER_LINE)
    locale = "zh_cn" if notice.language == "zh" else "en_us"
    content = [[{"tag": "text", "text": line}] for line in lines]
    return {"msg_type": "post", "content": {"post": {locale: {"title": title, "content": content}}}}


def feishu_signature(secret: str, now: datetime) -> Mapping[str, str]:
    """The two fields of a signed Feishu request: seconds, and base64 of HMAC-SHA256 of nothing, keyed with
    `seconds LF secret`. Feishu takes a time within one hour of its own.

    Source: open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (signature verification).
    """
    timestamp = str(int(now.timestamp()))
    return {"timestamp": timestamp, "sign": _hmac_sha256(f"{timestamp}\n{secret}", "")}


def wecom(notice: Notice) -> Payload:
    """A text message of at most 2,048 bytes of UTF-8. In it `<@name>` would mention somebody.

    Source: developer.work.weixin.qq.com/document/path/91770.
    """
    lines = [line.replace("<@", "< @") for line in notice.lines()]
    return {"msgtype": "text", "text": {"content": "\n".join(fitting(lines, _WECOM_MOST_BYTES))}}


def _rich(text: str, **style: str) -> Payload:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _hmac_sha256(key: str, message: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message.encode(), hashlib.sha256)).decode("ascii")
