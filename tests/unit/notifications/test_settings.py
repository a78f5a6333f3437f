"""The sections `notifications` and `planning` of the settings."""

from typing import Any

import pytest

from shared.kernel.errors import Rejected
from shared.platform.settings import Settings, parse_settings

BASE: dict[str, Any] = {"locations": {"main": {"name": "Main"}}}
SENDER = "notifications.email.sender"
SLACK = {"kind": "slack", "secret": "ops"}
WHOLE: dict[str, Any] = {
    "notifications": {
        "language": "zh",
        "email": {"sender": "stock@example.test", "recipients": ["a@example.test"]},
        "topic_arn": "arn:aws:sns:eu-west-1:123456789012:alerts",
        "chats": [{"kind": "feishu", "secret": "ops-feishu"}, {"kind": "slack", "secret": "ops-slack"}],
    },
    "planning": {"lead_days": 30, "service_level": 0.98, "skus": {"MUG": {"pack_size": 12}}},
}


def test_nobody_is_told_and_nothing_is_ordered_unless_settings_say_so() -> None:
    chosen = parse_settings(BASE)
    assert (chosen.notifications.email, chosen.notifications.topic_arn, chosen.notifications.chats) == (None, None, ())
    assert (chosen.planning.purchase_requests, chosen.planning.compute_points) == (False, False)


def test_all_of_it_is_read_and_survives_being_written() -> None:
    chosen = parse_settings(BASE | WHOLE)
    assert [chat.secret for chat in chosen.notifications.chats] == ["ops-feishu", "ops-slack"]
    assert chosen.planning.of("MUG").pack_size == 12
    assert Settings.model_validate_json(chosen.model_dump_json()) == chosen


@pytest.mark.parametrize(
    ("section", "document", "field"),
    [
        ("notifications", {"language": "de"}, "notifications.language"),
        ("notifications", {"email": {"sender": "x", "recipients": ["a@b.test"]}}, SENDER),
        ("notifications", {"email": {"sender": "a@b.test", "recipients": []}}, "notifications.email.recipients"),
        ("notifications", {"email": {"sender": "a@b.test\nBcc: c", "recipients": ["a@b.test"]}}, SENDER),
        ("notifications", {"topic_arn": "arn:aws:sqs:eu-west-1:123456789012:x"}, "notifications.topic_arn"),
        ("notifications", {"chats": [{"kind": "irc", "secret": "ops"}]}, "notifications.chats.0.kind"),
        ("notifications", {"chats": [SLACK, SLACK | {"kind": "teams"}]}, "notifications.chats"),
        ("planning", {"service_level": 1}, "planning.service_level"),
        ("planning", {"pack_size": 0}, "planning.pack_size"),
        ("planning", {"skus": {"MUG": {"lead_days": -1}}}, "planning.skus.MUG.lead_days"),
    ],
)
def test_a_fault_names_its_field(section: str, document: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected, match="invalid_settings") as caught:
        parse_settings(BASE | {section: document})
    assert caught.value.field == field
