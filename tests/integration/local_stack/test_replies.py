"""Lambda's rules for partial batch failures."""

import pytest

from infra.local.outcomes import Outcome
from infra.local.replies import failed_items

BATCH = ("a", "b", "c")


@pytest.mark.parametrize(
    "reply", [b"", b"null", b'""', b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_an_empty_reply_means_success(reply: bytes) -> None:
    assert failed_items(Outcome(reply), BATCH, partial=True) == set()


def test_only_what_is_named_fails() -> None:
    reply = b'{"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "c"}]}'
    assert failed_items(Outcome(reply), BATCH, partial=True) == {"b", "c"}
    assert failed_items(Outcome(reply), BATCH, partial=False) == set()


@pytest.mark.parametrize(
    "reply",
    [
        b"not json",
        b'"text"',
        b"[]",
        b'{"batchItemFailures": "b"}',
        b'{"batchItemFailures": 1}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"identifier": "b"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "z"}]}',
    ],
)
def test_a_malformed_reply_fails_the_whole_batch(reply: bytes) -> None:
    assert failed_items(Outcome(reply), BATCH, partial=True) == set(BATCH)


@pytest.mark.parametrize("partial", [True, False])
def test_a_failed_function_fails_the_whole_batch(partial: bool) -> None:
    assert failed_items(Outcome(b'{"errorType": "E"}', failed=True), BATCH, partial=partial) == set(BATCH)
