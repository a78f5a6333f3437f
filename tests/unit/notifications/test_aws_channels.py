"""E-mail through SES and topics through SNS, against moto; what a refusal means, and where notices are set aside."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from infra.local.intrinsics import ACCOUNT, REGION
from shared.kernel.errors import Rejected, Retry
from shared.platform import aws, email, notices
from shared.platform.email import EmailNotifier
from shared.platform.notices import TopicNotifier, set_aside
from tests.builders.notices import notice


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    caches = (email._ses, notices._sns, aws.sqs)
    for cached in caches:
        cached.cache_clear()
    with mock_aws():
        yield
    for cached in caches:
        cached.cache_clear()


def mails() -> list[Any]:
    sent: list[Any] = ses_backends[ACCOUNT][REGION].sent_messages
    return sent


@pytest.mark.usefixtures("cloud")
def test_a_notice_is_one_mail_with_text_and_html_to_all_recipients() -> None:
    boto3.client("sesv2").create_email_identity(EmailIdentity="stock@example.test")
    EmailNotifier("stock@example.test", ["a@example.test", "b@example.test"]).send(notice(title="库存偏低：MUG"))
    (sent,) = mails()
    assert sent.destinations["ToAddresses"] == ["a@example.test", "b@example.test"]
    assert sent.source == "stock@example.test"
    assert sent.subject == "库存偏低：MUG"
    assert "<table>" in sent.body or "fallen to its reorder point" in sent.body


@pytest.mark.usefixtures("cloud")
def test_a_sender_that_is_not_verified_is_final_and_names_nobody() -> None:
    with pytest.raises(Rejected, match="email_refused") as caught:
        EmailNotifier("stock@example.test", ["a@example.test"]).send(notice())
    assert "example.test" not in str(caught.value)
    assert mails() == []


@pytest.mark.usefixtures("cloud")
def test_a_topic_gets_subject_text_and_key() -> None:
    arn = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    long = notice(title="x\n" + "x" * 150)
    TopicNotifier(arn).send(long)
    sent: Any = sns_backends[ACCOUNT][REGION].topics[arn].sent_notifications
    ((_, message, subject, attributes, *_),) = sent
    assert subject == "x " + "x" * 97
    assert message == "\n".join(long.lines())
    assert attributes["key"]["Value"] == "stock/main/MUG/2"


@pytest.mark.usefixtures("cloud")
def test_a_topic_that_is_gone_is_final() -> None:
    with pytest.raises(Rejected, match="topic_arn_refused"):
        TopicNotifier(f"arn:aws:sns:{REGION}:{ACCOUNT}:gone").send(notice())


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("TooManyRequestsException", 429, Retry),
        ("Throttling", 400, Retry),
        ("InternalFailure", 500, Retry),
        ("SomethingNew", 503, Retry),
        ("MessageRejected", 400, Rejected),
        ("AccessDeniedException", 403, Rejected),
    ],
)
def test_what_an_error_of_aws_means(code: str, status: int, error: type[Exception]) -> None:
    response: Any = {
        "Error": {"Code": code, "Message": "to a@example.test"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    found = email.refusal("email", ClientError(response, "SendEmail"))
    assert isinstance(found, error)
    assert "example.test" not in str(found)


def test_no_answer_is_passing() -> None:
    found = email.refusal("email", ConnectTimeoutError(endpoint_url="https://email.example.test"))
    assert isinstance(found, Retry)


@pytest.mark.usefixtures("cloud")
def test_what_is_set_aside_waits_on_the_queue_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    url = boto3.client("sqs").create_queue(QueueName="failures")["QueueUrl"]
    monkeypatch.setenv("NOTICE_FAILURES_URL", url)
    set_aside(notice(), "slack:ops", Rejected("chat_refused", "HTTP 404", field="url"))
    (message,) = boto3.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == notice().model_dump(mode="json")
    reasons = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert reasons == {"channel": "slack:ops", "code": "chat_refused", "field": "url", "reason": "HTTP 404"}


@pytest.mark.usefixtures("cloud")
def test_a_failure_queue_that_is_gone_is_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTICE_FAILURES_URL", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/gone")
    with pytest.raises(Retry, match="queue_unreachable"):
        set_aside(notice(), "slack:ops", Rejected("chat_refused", "HTTP 404"))
