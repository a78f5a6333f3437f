"""What functions log of a record that fails."""

import json

import pytest

from shared.kernel.errors import Retry
from shared.platform.observability import count, failures_told


@pytest.mark.parametrize(
    ("error", "code"), [(Retry("queue_refused", "of canary"), "queue_refused"), (KeyError("canary"), "KeyError")]
)
def test_a_failure_is_told_by_kind_and_place_and_goes_on(
    error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    @failures_told()
    def take_in() -> None:
        raise error

    with pytest.raises(type(error)):
        take_in()
    (record,) = caplog.records
    assert record.__dict__["code"] == code
    assert record.__dict__["where"].startswith("take_in ")
    assert "canary" not in str(record.__dict__)


def test_what_names_a_shop_or_a_code_stands_beside_the_metric(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a dimension each would be a metric of its own to pay for, and no alarm would see them all."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Storebridge")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "backoffice-push")
    count("ErrandStopped", 2, office="backoffice", code="unmapped_tax", shop="aurora")
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [["office", "service"]]
    assert (line["ErrandStopped"], line["code"], line["shop"]) == ([2.0], "unmapped_tax", "aurora")
