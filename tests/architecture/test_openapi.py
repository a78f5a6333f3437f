"""The published OpenAPI document is that of the template's routes, and of what the functions answer."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it ships no types

from infra.local.template import load_deployment
from infra.schemas import openapi
from shared.kernel.errors import Rejected, Retry
from shared.platform import http

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
DOCUMENT = openapi.document()


def test_the_published_document_is_up_to_date() -> None:
    published = openapi.PATH.read_text(encoding="utf-8") if openapi.PATH.exists() else ""
    assert published == openapi.text(), "run `make schemas` and look at what that changes for its readers"


def test_it_has_every_route_of_the_template_and_no_other() -> None:
    told = {(method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert told == {(route.method, route.path) for route in load_deployment(TEMPLATE).routes}
    names = [operation["operationId"] for operations in DOCUMENT["paths"].values() for operation in operations.values()]
    assert len(set(names)) == len(names) == len(told)


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if path.startswith("/webhooks/")])
def test_every_answer_of_a_webhook_is_in_it_in_its_shape(path: str) -> None:
    answers = DOCUMENT["paths"][path]["post"]["responses"]
    given = [http.accepted(), http.refused(Retry("aws_unreachable", "SendMessage"))]
    given += [http.refused(Rejected(code, "no")) for code in (*http._STATUS, "invalid_json", "json_too_deep")]
    for answer in given:
        schema = answers[str(answer["statusCode"])]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
        assert list(validator.iter_errors(json.loads(answer["body"]))) == []
    assert set(answers) == {str(answer["statusCode"]) for answer in given}
