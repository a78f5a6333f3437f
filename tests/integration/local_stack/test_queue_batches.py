"""Batches from a queue stay under what Lambda takes."""

import json

from infra.local.pollers import split_by_size


def test_batches_are_cut_where_the_event_would_grow_too_large() -> None:
    records = [{"messageId": str(number), "body": "x" * 100} for number in range(7)]
    batches = list(split_by_size(records, limit=400))
    assert [record for batch in batches for record in batch] == records
    assert len(batches) > 1
    assert all(len(json.dumps({"Records": batch})) <= 400 for batch in batches)


def test_small_messages_stay_together_and_a_large_one_goes_alone() -> None:
    small, large = {"body": "x"}, {"body": "x" * 500}
    assert list(split_by_size([small, small], limit=400)) == [[small, small]]
    assert list(split_by_size([small, large, small], limit=400)) == [[small], [large], [small]]
    assert list(split_by_size([])) == []
