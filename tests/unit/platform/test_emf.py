"""A metric is one line of JSON in CloudWatch's embedded metric format."""

import json

import pytest

from shared.platform import emf


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.platform.emf.time.time", lambda: 1795424531.25)
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "order-webhook")


def test_a_count_is_one_line_in_the_embedded_metric_format(capsys: pytest.CaptureFixture[str]) -> None:
    """Shape: CloudWatch documentation, "Specification: Embedded metric format"."""
    emf.count("WebhookRefused", code="unauthorised", shop="aurora")
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 1795424531250,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Storebridge",
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": "WebhookRefused", "Unit": "Count"}],
                }
            ],
        },
        "WebhookRefused": 1,
        "service": "order-webhook",
        "code": "unauthorised",
        "shop": "aurora",
    }


def test_each_count_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    emf.count("WebhookAccepted")
    emf.count("WebhookAccepted")
    assert len([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == 2


def test_the_namespace_is_the_deployments(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Merchant")
    emf.count("WebhookAccepted")
    document = json.loads(capsys.readouterr().out)
    assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Merchant"
