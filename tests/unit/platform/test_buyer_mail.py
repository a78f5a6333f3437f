"""Letters to buyers through SES, against moto; what a refusal means for the letter."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber
from moto import mock_aws
from moto.ses.models import ses_backends

from infra.local.intrinsics import ACCOUNT, REGION
from shared.kernel.errors import Rejected, Retry
from shared.orders.buyer_notices import BuyerNoticeKind
from shared.platform import buyer_mail
from shared.platform.buyer_mail import SesMailer
from shared.platform.settings import BuyerMail
from shared.sync.tell_buyer import NoticeLetter

SENDER = "shop@example.test"
LETTER = NoticeLetter(
    kind=BuyerNoticeKind.CONFIRMED,
    to="eve@bücher.example",
    language="zh",
    order_name="#5001",
    link="https://orders.example/track/abc",
)


def shop(**overrides: Any) -> BuyerMail:
    return BuyerMail(**{"sender": SENDER, "sender_name": "极光商店", "language": "en", **overrides})


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    buyer_mail._ses.cache_clear()
    with mock_aws():
        boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield buyer_mail._ses()
    buyer_mail._ses.cache_clear()


def mails() -> list[Any]:
    sent: list[Any] = ses_backends[ACCOUNT][REGION].sent_messages
    return sent


@pytest.mark.usefixtures("ses")
def test_a_letter_goes_to_the_buyer_alone_from_the_shop_by_its_name() -> None:
    SesMailer(shop()).send(LETTER)
    (mail,) = mails()
    assert mail.destinations["ToAddresses"] == ["eve@xn--bcher-kva.example"]
    assert not mail.destinations.get("CcAddresses")
    assert mail.source.isascii()
    assert mail.source.endswith(f"<{SENDER}>")
    assert mail.subject == "订单 #5001 已确认"


def test_the_request_is_what_ses_takes(ses: Any) -> None:
    """botocore checks the stubbed request against SES's own model."""
    seen: list[dict[str, Any]] = []
    ses.meta.events.register("provide-client-params.sesv2.SendEmail", lambda params, **_: seen.append(params))
    with Stubber(ses) as stub:
        stub.add_response("send_email", {"MessageId": "1"})
        SesMailer(shop(reply_to="help@example.test")).send(LETTER)
    (request,) = seen
    assert request["ReplyToAddresses"] == ["help@example.test"]
    simple = request["Content"]["Simple"]
    assert simple["Headers"] == [{"Name": "Auto-Submitted", "Value": "auto-generated"}]
    assert {part["Charset"] for part in (simple["Subject"], *simple["Body"].values())} == {"UTF-8"}
    assert simple["Body"].keys() == {"Text", "Html"}


@pytest.mark.usefixtures("ses")
def test_an_address_that_is_none_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(Rejected, match="address_unusable"):
        SesMailer(shop()).send(LETTER.model_copy(update={"to": "eve"}))
    assert mails() == []


@pytest.mark.usefixtures("ses")
def test_a_sender_that_is_not_verified_lets_the_letters_wait() -> None:
    with pytest.raises(Retry, match="buyer_mail_refused") as caught:
        SesMailer(shop(sender="other@example.test")).send(LETTER)
    assert "eve" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("BadRequestException", 400, Rejected),
        ("TooManyRequestsException", 429, Retry),
        ("MessageRejected", 400, Retry),
        ("AccountSuspendedException", 400, Retry),
        ("AccessDeniedException", 403, Retry),
        ("Unheard", 503, Retry),
    ],
)
def test_only_what_is_about_the_address_is_final(ses: Any, code: str, status: int, expected: type[Exception]) -> None:
    with Stubber(ses) as stub:
        stub.add_client_error("send_email", code, "eve@example.test is on no list", http_status_code=status)
        with pytest.raises(expected) as caught:
            SesMailer(shop()).send(LETTER)
    assert "eve" not in str(caught.value)


def test_an_answer_that_got_lost_is_asked_for_again(ses: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="https://ses.example")

    monkeypatch.setattr(ses, "send_email", lost)
    with pytest.raises(Retry, match="buyer_mail_unreachable"):
        SesMailer(shop()).send(LETTER)
