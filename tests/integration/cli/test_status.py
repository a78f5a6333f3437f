"""`storebridge status` on a running local stack."""

import pytest

from infra.cli.status import STAGES
from infra.local.stack import LocalStack
from tests.integration.cli.conftest import CommandLine, line


def lines_of(document: dict[str, object]) -> dict[str, dict[str, str]]:
    lines = document["lines"]
    assert isinstance(lines, list)
    return {told["subject"]: told for told in lines}


def test_a_quiet_stack_is_healthy(storebridge: CommandLine) -> None:
    document = storebridge.json("status")
    assert (document["healthy"], document["exit_code"]) == (True, 0), document["verdict"]
    assert [told for told in document["lines"] if told["state"] in {"attention", "unknown"}] == []
    assert {told["stage"] for told in document["lines"]} <= set(STAGES)
    told = lines_of(document)
    assert told["orders to take in"]["said"] == "0 wait, age not known here"
    assert told["aurora"]["state"] == "not here"
    assert told["alarms"]["said"] == "none on a local stack"


def test_an_order_that_was_set_aside_needs_attention(storebridge: CommandLine, stack: LocalStack) -> None:
    stack.clients.sqs.send_message(QueueUrl=stack.deployment.outputs["OrdersDeadLetterQueueUrl"], MessageBody="{}")
    try:
        result = storebridge("status")
        assert result.exit_code == 1
        first, *_ = result.stdout.splitlines()
        assert first.startswith(f"{stack.url}: Needs attention: orders set aside.")
        assert "storebridge events list --dlq" in result.stdout
    finally:
        stack.clients.sqs.purge_queue(QueueUrl=stack.deployment.outputs["OrdersDeadLetterQueueUrl"])


def test_an_order_that_waits_for_a_person_is_no_fault(storebridge: CommandLine) -> None:
    storebridge.receive(77_001, line("NOWHERE-TO-BE-FOUND"))
    document = storebridge.json("status")
    told = lines_of(document)["orders that need someone"]
    assert (document["exit_code"], told["state"]) == (0, "to do")
    assert told["next"] == "storebridge orders list"
    assert "For people to do:" in document["verdict"]


@pytest.mark.parametrize("words", [("--all",), ()])
def test_what_has_nothing_to_say_is_shown_when_asked_for(storebridge: CommandLine, words: tuple[str, ...]) -> None:
    shown = storebridge("status", *words).stdout
    assert ("none on a local stack" in shown) == bool(words)
