"""The local stack at work: each trigger, and each way to fail, with functions in AWS's own runtime client."""

import http.client
import json
from typing import Any

import httpx
import pytest

from infra.local.outcomes import MAX_PAYLOAD_BYTES
from infra.local.stack import LocalStack


def post(stack: LocalStack, path: str, body: bytes = b"{}", **headers: str) -> tuple[int, Any, dict[str, str]]:
    sent = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = httpx.post(stack.url + path, content=body, headers=sent, trust_env=False)
    return answer.status_code, answer.json(), dict(answer.headers)


def taken_from(stack: LocalStack, queue: str) -> list[str]:
    """All bodies on a queue, which is empty afterwards."""
    url = stack.clients.sqs.get_queue_url(QueueName=f"little-one-{queue}")["QueueUrl"]
    bodies: list[str] = []
    while messages := stack.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            bodies.append(message["Body"])
            stack.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def send(stack: LocalStack, *bodies: str) -> None:
    url = stack.clients.sqs.get_queue_url(QueueName="little-one-work")["QueueUrl"]
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    stack.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def names(stack: LocalStack) -> set[str]:
    items = stack.clients.dynamodb.scan(TableName="little-one-things", ConsistentRead=True)["Items"]
    return {item["pk"]["S"] for item in items}


def test_a_request_reaches_the_function_and_its_answer_comes_back(small_stack: LocalStack) -> None:
    status, body, headers = post(small_stack, "/echo/a%20b?x=1&x=2", b'{"n":1}', X_Mixed_Case="Yes")
    event = body["event"]
    assert status == 201
    assert headers["x-told"] == "echo"
    assert event["pathParameters"] == {"name": "a b"}
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["headers"]["x-mixed-case"] == "Yes"
    assert (event["body"], event["isBase64Encoded"]) == ('{"n":1}', False)


def test_a_function_sees_its_own_variables_and_none_of_ours(
    small_stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMETHING_OF_THE_DEVELOPER", "1")
    post(small_stack, "/echo/a?do=exit")
    environment = post(small_stack, "/echo/a")[1]["environment"]
    assert environment["GREETING"] == "hello"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "little-one-echo"
    assert environment["AWS_ENDPOINT_URL_DYNAMODB"] != environment["AWS_ENDPOINT_URL"]
    assert "SOMETHING_OF_THE_DEVELOPER" not in environment
    assert "TABLE" not in environment


@pytest.mark.parametrize("told", ["fail", "exit", "die", "hang", "nonsense", "too%20much"])
def test_a_function_that_fails_is_a_500_and_the_next_request_is_served(small_stack: LocalStack, told: str) -> None:
    status, body, _ = post(small_stack, f"/echo/a?do={told}")
    assert (status, body) == (500, {"message": "Internal Server Error"})
    assert post(small_stack, "/echo/a")[0] == 201


def test_unknown_routes_are_not_found(small_stack: LocalStack) -> None:
    assert post(small_stack, "/echo")[:2] == (404, {"message": "Not Found"})
    assert post(small_stack, "/echo/a/b")[:2] == (404, {"message": "Not Found"})


@pytest.mark.parametrize("size", [MAX_PAYLOAD_BYTES, 10 * 1024 * 1024 + 1])
def test_bodies_that_lambda_or_the_gateway_cannot_take_are_413(small_stack: LocalStack, size: int) -> None:
    status, body, _ = post(small_stack, "/echo/a", b"x" * size)
    assert (status, body) == (413, {"message": "Request Entity Too Large"})


def test_a_connection_serves_many_requests(small_stack: LocalStack) -> None:
    connection = http.client.HTTPConnection(small_stack.url.removeprefix("http://"))
    for _ in range(3):
        connection.request("POST", "/echo/a", b"{}")
        answer = connection.getresponse()
        assert answer.status == 201
        answer.read()
    connection.close()


@pytest.mark.parametrize(
    ("told", "kind", "message"),
    [
        ("fail", "ValueError", "told to fail"),
        ("exit", "Runtime.ExitError", "exit status 7"),
        ("die", "Runtime.ExitError", "signal 9"),
        ("hang", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("too much", "Function.ResponseSizeTooLarge", "6291556 bytes"),
    ],
)
def test_invoke_reports_failures_as_lambda_does(small_stack: LocalStack, told: str, kind: str, message: str) -> None:
    answer = small_stack.client("lambda").invoke(FunctionName="little-one-echo", Payload=json.dumps({"do": told}))
    assert answer["FunctionError"] == "Unhandled"
    error = json.loads(answer["Payload"].read())
    assert error["errorType"] == kind
    assert message in error["errorMessage"]


def test_invoke_refuses_what_is_too_large_or_unknown(small_stack: LocalStack) -> None:
    client = small_stack.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody")
    with pytest.raises(client.exceptions.RequestTooLargeException):
        client.invoke(FunctionName="little-one-echo", Payload=json.dumps("x" * MAX_PAYLOAD_BYTES))


def test_messages_reach_the_function_the_table_and_the_stream(small_stack: LocalStack) -> None:
    send(small_stack, *(f"good-{number}" for number in range(10)))
    small_stack.drain()
    wanted = {f"good-{number}" for number in range(10)}
    assert wanted <= names(small_stack)
    records = [json.loads(text) for text in taken_from(small_stack, "seen")]
    assert {record["dynamodb"]["Keys"]["pk"]["S"] for record in records} == wanted
    assert all(record["dynamodb"]["NewImage"]["raw"] == {"B": "AP8="} for record in records)


def test_only_the_failed_message_comes_back_and_ends_in_the_dead_letter_queue(small_stack: LocalStack) -> None:
    send(small_stack, "fail-1", "fine-1")
    small_stack.drain()
    assert "fine-1" in names(small_stack)
    assert taken_from(small_stack, "deadwork") == ["fail-1"]
    taken_from(small_stack, "seen")


def test_a_poisoned_record_is_set_aside_and_the_others_go_on(small_stack: LocalStack) -> None:
    for name in ("before", "poison", "after"):
        small_stack.clients.dynamodb.put_item(TableName="little-one-things", Item={"pk": {"S": name}})
    small_stack.drain()
    seen = [json.loads(text)["dynamodb"]["Keys"]["pk"]["S"] for text in taken_from(small_stack, "seen")]
    assert sorted(seen) == ["after", "before"]
    (failure,) = (json.loads(text) for text in taken_from(small_stack, "failures"))
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert failure["DDBStreamBatchInfo"]["batchSize"] == 1


def test_schedules_are_fired_by_name(small_stack: LocalStack) -> None:
    status, body, _ = post(small_stack, "/_local/schedules/good")
    small_stack.drain()
    assert (status, body["fired"]) == (202, "good")
    assert taken_from(small_stack, "seen") == ["ticked"]
    assert post(small_stack, "/_local/schedules/none")[0] == 404


def test_a_failing_schedule_is_retried_and_set_aside(small_stack: LocalStack) -> None:
    request_id = small_stack.schedules.fire("bad")
    small_stack.drain()
    (failure,) = (json.loads(text) for text in taken_from(small_stack, "failures"))
    assert failure["requestContext"]["requestId"] == request_id
    assert failure["requestContext"]["approximateInvokeCount"] == 2
    assert failure["requestPayload"] == {"do": "fail"}
    assert failure["responsePayload"]["errorMessage"] == "told to fail"


def test_an_asynchronous_invocation_is_drained_too(small_stack: LocalStack) -> None:
    client = small_stack.client("lambda")
    answer = client.invoke(FunctionName="little-one-ticker", InvocationType="Event", Payload=b'{"do": "note"}')
    assert answer["StatusCode"] == 202
    assert post(small_stack, "/_local/drain")[1] == {"drained": True}
    assert taken_from(small_stack, "seen") == ["ticked"]
