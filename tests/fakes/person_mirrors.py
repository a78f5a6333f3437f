"""The stands of persons in memory: the same promises as the table."""

from collections.abc import Iterable

from shared.kernel.errors import Conflict
from shared.kernel.identifiers import CustomerKey
from shared.sync.customers.mirror import PersonMirror


class FakePersonMirrors:
    def __init__(self) -> None:
        self.mirrors: dict[tuple[CustomerKey, str], PersonMirror] = {}
        self.saves = 0

    def find(self, leader: CustomerKey, backoffice: str) -> PersonMirror | None:
        return self.mirrors.get((leader, backoffice))

    def save(self, mirror: PersonMirror, before: PersonMirror | None) -> PersonMirror:
        kept = self.mirrors.get((mirror.key, mirror.backoffice))
        known = before.revision if before else 0
        if (kept.revision if kept else 0) != known:
            raise Conflict("changed_meanwhile", "somebody else worked on it")
        # as the table does: what is kept is what a document can hold
        saved = PersonMirror.model_validate_json(mirror.model_copy(update={"revision": known + 1}).model_dump_json())
        self.mirrors[mirror.key, mirror.backoffice] = saved
        self.saves += 1
        return saved

    def of_person(self, leader: CustomerKey) -> Iterable[PersonMirror]:
        return [mirror for (key, _), mirror in sorted(self.mirrors.items()) if key == leader]

    def stopped(self, shop: str) -> Iterable[PersonMirror]:
        return [mirror for (key, _), mirror in sorted(self.mirrors.items()) if key.shop == shop and mirror.stop]

    def forget(self, leader: CustomerKey) -> int:
        gone = [key for key in self.mirrors if key[0] == leader]
        for key in gone:
            del self.mirrors[key]
        return len(gone)
