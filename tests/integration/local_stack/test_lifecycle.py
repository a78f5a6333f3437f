"""Nothing is left running, tables in a folder survive, and the engine is the one that was pinned."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.children import Children
from infra.local.control import NotDrained
from infra.local.dynoxide import ENDPOINT_VARIABLE, VERSION, EngineUnavailable, fetch_engine, start_engine
from infra.local.stack import LocalStack
from tests.integration.local_stack.conftest import small_options

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 20.0
"""Seconds until a process that should end counts as left over."""

PARENT = """
import json, sys
from infra.local.stack import LocalStack
from tests.integration.local_stack.conftest import small_options
with LocalStack(small_options()) as stack:
    stack.lambdas.invoke("little-one-echo", b"{}")
    print(json.dumps(stack.children.pids), flush=True)
    sys.stdin.read()
"""


def ended(handle: int) -> bool:
    """Whether the process behind the handle ends in time."""
    try:
        return bool(select.select([handle], [], [], PATIENCE)[0])
    finally:
        os.close(handle)


def test_killing_the_parent_kills_every_child() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        assert len(pids) == 3  # the guard, the engine and one function
        handles = [os.pidfd_open(pid) for pid in pids]
        parent.send_signal(signal.SIGKILL)
        assert [ended(handle) for handle in handles] == [True] * 3


def test_leaving_the_stack_ends_every_child() -> None:
    with LocalStack(small_options()) as stack:
        stack.lambdas.invoke("little-one-echo", b"{}")
        handles = [os.pidfd_open(pid) for pid in stack.children.pids]
    assert [ended(handle) for handle in handles] == [True] * 3


def test_tables_in_a_folder_survive_and_their_stream_goes_on_where_it_was(tmp_path: Path) -> None:
    with LocalStack(small_options(tmp_path)) as stack:
        put(stack, "first")
        stack.drain()
        assert seen(stack) == ["first"]
    with LocalStack(small_options(tmp_path)) as stack:
        put(stack, "second")
        stack.drain()
        assert seen(stack) == ["second"]
        items = stack.clients.dynamodb.scan(TableName="little-one-things")["Items"]
        assert {item["pk"]["S"] for item in items} == {"first", "second"}


def test_a_poisonous_message_is_on_its_dead_letter_queue_also_later(tmp_path: Path) -> None:
    with LocalStack(small_options(tmp_path)) as stack:
        url = url_of(stack, "little-one-work")
        stack.clients.sqs.send_message(QueueUrl=url, MessageBody="fail")
        stack.drain()
    with LocalStack(small_options(tmp_path)) as stack:
        messages = stack.clients.sqs.receive_message(QueueUrl=url_of(stack, "little-one-deadwork"))["Messages"]
        assert [message["Body"] for message in messages] == ["fail"]


def test_draining_says_what_is_left_when_the_time_is_over() -> None:
    with LocalStack(small_options()) as stack:
        url = stack.clients.sqs.get_queue_url(QueueName="little-one-work")["QueueUrl"]
        stack.clients.sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=600)
        with pytest.raises(NotDrained, match=r"work for later: .*little-one-work"):
            stack.drain(timeout=0.3)


def test_two_stacks_in_one_process_are_refused() -> None:
    with LocalStack(small_options()), pytest.raises(RuntimeError, match="another local stack"):
        LocalStack(small_options()).__enter__()


def test_another_program_in_the_engines_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"dynoxide-{VERSION}").write_bytes(b"#!/bin/sh\n")
    with pytest.raises(EngineUnavailable, match="not the file that was pinned"):
        fetch_engine(tmp_path)


def test_another_engine_can_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://127.0.0.1:8000")
    with Children() as children:
        assert start_engine(children, tmp_path, None) == "http://127.0.0.1:8000"
        assert len(children.pids) == 1


def put(stack: LocalStack, name: str) -> None:
    stack.clients.dynamodb.put_item(TableName="little-one-things", Item={"pk": {"S": name}})


def seen(stack: LocalStack) -> list[str]:
    """What the stream brought, taken off the queue."""
    url = url_of(stack, "little-one-seen")
    messages = stack.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        stack.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"])["dynamodb"]["Keys"]["pk"]["S"] for message in messages]


def url_of(stack: LocalStack, queue: str) -> str:
    return stack.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
