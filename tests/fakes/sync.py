"""What is kept of shops, in memory: the same promises as the tables (`tests/contract/test_sync_tables.py`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.kernel.errors import Conflict
from shared.sync.jobs import Job
from shared.sync.levels.bindings import Binding, UnfinishedCall
from shared.sync.levels.sweep import Drift
from shared.sync.repair.watch import Watch


class FakeBindings:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Binding] = {}
        self.calls: dict[str, UnfinishedCall] = {}
        self.writes = 0

    def of(self, shop: str, skus: Iterable[str]) -> Sequence[Binding]:
        return [self.kept[shop, sku] for sku in sorted(set(skus)) if (shop, sku) in self.kept]

    def keep(self, bindings: Iterable[Binding]) -> None:
        for binding in bindings:
            self.kept[binding.shop, binding.sku] = binding
            self.writes += 1

    def begin(self, call: UnfinishedCall) -> None:
        self.calls[call.key] = call

    def finish(self, call: UnfinishedCall) -> None:
        self.calls.pop(call.key, None)

    def unfinished(self, shop: str) -> Sequence[UnfinishedCall]:
        return sorted((call for call in self.calls.values() if call.shop == shop), key=lambda call: call.started_at)


class FakeJobs:
    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.leases: dict[str, tuple[str, datetime]] = {}

    def find(self, name: str) -> Job | None:
        return self.jobs.get(name)

    def take(self, name: str, holder: str, *, now: datetime, until: datetime) -> None:
        owner, ends = self.leases.get(name, (holder, now))
        if owner != holder and ends > now:
            raise Conflict("taken", "somebody else is at it")
        self.leases[name] = (holder, until)

    def save(self, job: Job, holder: str) -> None:
        if self.leases.get(job.name, ("", None))[0] != holder:
            raise Conflict("lease_lost", "somebody else took it over")
        self.jobs[job.name] = job

    def hand_in(self, job: Job, holder: str) -> None:
        self.save(job, holder)
        del self.leases[job.name]

    def let_go(self, name: str, holder: str) -> None:
        if self.leases.get(name, ("", None))[0] == holder:
            del self.leases[name]


class FakeDriftLog:
    def __init__(self) -> None:
        self.drifts: list[Drift] = []

    def add(self, drifts: Iterable[Drift]) -> None:
        self.drifts += drifts

    def of(self, shop: str, limit: int = 100) -> Iterable[Drift]:
        mine = [drift for drift in self.drifts if drift.shop == shop]
        return sorted(mine, key=lambda drift: drift.found_at, reverse=True)[:limit]


class FakeWatches:
    def __init__(self) -> None:
        self.kept: dict[str, Watch] = {}

    def find(self, shop: str) -> Watch | None:
        return self.kept.get(shop)

    def keep(self, watch: Watch) -> Watch:
        found = self.kept.get(watch.shop)
        if (found.revision if found else 0) != watch.revision:
            raise Conflict("changed_meanwhile", "somebody else kept one")
        self.kept[watch.shop] = watch.model_copy(update={"revision": watch.revision + 1})
        return self.kept[watch.shop]
