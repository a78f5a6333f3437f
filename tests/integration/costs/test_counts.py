"""What an order costs, to the unit. Whoever changes it says so by `make costs`, and sees in the difference of
`infra/costs/counts.json` and `infra/docs/costs.md` what became dearer or cheaper.

The other parts are left to `make costs`: ten whole lives side by side take the better part of a minute.
"""

import pytest

from infra.costs.bill import bill_of, count_part, exact, kept_counts
from infra.costs.durations import Measured
from infra.costs.page import page_of
from infra.costs.topology import Topology
from infra.local.stack import ROOT

_HINT = "run `make costs`, and look at what became dearer"


@pytest.mark.parametrize("part", ["lives-shops-10", "lives-connected-1", "idle-connected-1", "books-connected-10"])
def test_everything_costs_what_was_counted_last(part: str) -> None:
    assert exact(count_part(part)) == exact(kept_counts()[part]), _HINT


def test_the_page_is_written_from_these_counts() -> None:
    page = page_of(bill_of(kept_counts()), Measured.load(), Topology.load())
    assert (ROOT / "infra" / "docs" / "costs.md").read_text(encoding="utf-8") == page, _HINT
