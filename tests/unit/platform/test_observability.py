"""What functions log of a record that fails."""

import pytest

from shared.kernel.errors import Retry
from shared.platform.observability import failures_told


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
