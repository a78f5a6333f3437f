"""What the local stack has acknowledged is there again after a `kill -9`, when it runs on a data folder."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.data_folder import DataFolderInUse, held
from infra.local.stack import LocalStack
from tests.integration.local_stack.conftest import small_options

ROOT = Path(__file__).resolve().parents[3]
BUCKET = "notes"

LIFE = """
import json, sys
from pathlib import Path
from infra.local.stack import LocalStack
from tests.integration.local_stack.conftest import small_options
from tests.integration.local_stack.test_survival import live
with LocalStack(small_options(Path(sys.argv[1]))) as stack:
    live(stack)
    print("lived", flush=True)
    sys.stdin.read()
"""


def live(stack: LocalStack) -> None:
    """All that is to survive, and what was deleted. No queue here feeds a function."""
    sqs, s3, events = stack.clients.sqs, stack.clients.s3, stack.clients.events
    url = url_of(stack, "little-one-seen")
    attributes = {
        "code": {"DataType": "String", "StringValue": "no_api_access"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    for body in ("first", "second", "third"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)  # type: ignore[arg-type]
    handed_out = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handed_out[1]["ReceiptHandle"])
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=BUCKET, Key="a b/c.json", Body=b"\x00kept", ContentType="text/x-note", Metadata={"by": "me"})
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"gone")
    s3.delete_object(Bucket=BUCKET, Key="gone")
    own = sqs.create_queue(QueueName="own-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=own, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "own", "Arn": arn}])
    tell(stack, "before")


def tell(stack: LocalStack, what: str) -> None:
    detail = json.dumps({"what": what})
    stack.clients.events.put_events(Entries=[{"Source": "test", "DetailType": "Told", "Detail": detail}])


def url_of(stack: LocalStack, queue: str) -> str:
    return stack.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]


@contextmanager
def killed_life(data: Path) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", LIFE, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"lived\n"
        process.send_signal(signal.SIGKILL)
        yield


@pytest.fixture(scope="module")
def reborn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    data = tmp_path_factory.mktemp("survival")
    with killed_life(data), LocalStack(small_options(data)) as stack:
        yield stack


def test_messages_survive_with_what_they_carry_also_those_in_flight(reborn: LocalStack) -> None:
    messages = reborn.clients.sqs.receive_message(
        QueueUrl=url_of(reborn, "little-one-seen"),
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )["Messages"]
    told = [(message["Body"], message["Attributes"]["ApproximateReceiveCount"]) for message in messages]
    assert told == [("first", "2"), ("third", "1")]
    assert messages[0]["MessageAttributes"]["code"]["StringValue"] == "no_api_access"
    assert messages[0]["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\x01"


def test_objects_survive_when_their_bucket_is_made_again(reborn: LocalStack) -> None:
    s3 = reborn.clients.s3
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["a b/c.json"]
    found = s3.get_object(Bucket=BUCKET, Key="a b/c.json")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"\x00kept", "text/x-note", {"by": "me"})


def test_a_rule_of_the_bus_and_its_queue_survive(reborn: LocalStack) -> None:
    tell(reborn, "after")
    messages = reborn.clients.sqs.receive_message(QueueUrl=url_of(reborn, "own-events"), MaxNumberOfMessages=10)
    assert [json.loads(message["Body"])["detail"]["what"] for message in messages["Messages"]] == ["before", "after"]


def test_a_folder_is_for_one_stack_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(DataFolderInUse, match="another local stack"), held(tmp_path, patience=0):
        pass


def test_a_folder_is_held_for_as_long_as_a_child_that_writes_into_it(tmp_path: Path) -> None:
    with held(tmp_path) as lock:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock])
    try:
        with pytest.raises(DataFolderInUse), held(tmp_path, patience=0):
            pass
    finally:
        child.communicate(b"\n")
    with held(tmp_path, patience=0):
        pass
