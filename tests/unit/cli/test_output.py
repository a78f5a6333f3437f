"""Tables, JSON and errors."""

import json

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)
from pynamodb.exceptions import GetError

from infra.cli.failures import AWS_ERRORS, of_aws
from infra.cli.output import Output, printable, table
from shared.kernel.errors import Rejected, Retry, StorebridgeError

FACTS = {"name": "Zoë", "rows": [1, None]}


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.note("by the way")
    with output.progress("Reading …") as progress:
        progress.update("Reading … 1")
    output.show(FACTS, lambda _: ["never shown"])
    captured = capsys.readouterr()
    assert json.loads(captured.out) == FACTS
    assert captured.err == ""


def test_people_see_what_is_rendered_of_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.note("by the way")
    output.show(FACTS, lambda facts: [facts["name"], table("n", rows=[(n,) for n in facts["rows"]])])
    captured = capsys.readouterr()
    assert "Zoë" in captured.out
    assert "│ 1 │" in captured.out
    assert "│ - │" in captured.out
    assert captured.err == "by the way\n"


def test_names_from_a_shop_neither_colour_nor_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).show({}, lambda _: [table("name", rows=[("[red]#1[/red]",), ("#2\x1b[2J\x07",)])])
    out = capsys.readouterr().out
    assert "[red]#1[/red]" in out
    assert "\x1b" not in out
    assert printable("a\x1bb\u202ec\n") == "a·b·c\n"


ERROR = Rejected("unknown_shop", "no shop [x]", field="shop", hint="known: aurora")


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).fail(ERROR)
    assert capsys.readouterr() == ("", "unknown_shop [shop]: no shop [x] (known: aurora)\n")


def test_a_long_error_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).fail(Rejected("invalid_settings", "field: wrong; " * 100))
    assert capsys.readouterr().err.count("\n") == 1


def test_an_error_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).fail(ERROR)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {
        "error": "unknown_shop",
        "field": "shop",
        "message": "no shop [x]",
        "hint": "known: aurora",
    }


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "family", "code"),
    [
        (NoCredentialsError(), Rejected, "no_credentials"),
        (NoRegionError(), Rejected, "no_region"),
        (EndpointConnectionError(endpoint_url="http://l"), Retry, "aws_unreachable"),
        (refusal("AccessDenied"), Rejected, "aws_refused"),
        (GetError("no", cause=refusal("ResourceNotFoundException")), Rejected, "aws_refused"),
        (ParamValidationError(report="no"), Rejected, "aws_refused"),
    ],
)
def test_what_aws_says_becomes_an_error_of_ours(error: Exception, family: type[StorebridgeError], code: str) -> None:
    assert isinstance(error, AWS_ERRORS)
    found = of_aws(error)
    assert isinstance(found, family)
    assert found.code == code


def test_a_refusal_keeps_awss_word_and_tells_what_to_do() -> None:
    found = of_aws(GetError("no", cause=refusal("ResourceNotFoundException")))
    assert found.message.startswith("ResourceNotFoundException: ")
    assert "--stack" in (found.hint or "")
