"""Which way of committing orders of a hot SKU keeps up with a flash sale: `python -m infra.bench.hot_sku`.

10,000 orders arrive for 1,000 units, in virtual time, through the real use cases (:mod:`infra.bench.flash_sale.sale`).
Whatever the design, exactly the units that there are must be allocated, and the ledger must tell which order took
which. The design that is deployed is one with few writers that commits 500 orders a second with something to spare;
without a hot lane none does. `make bench` plays the deployed design, and what it stands against on a smaller scale.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from infra.bench.flash_sale.figures import COLUMNS, DEPLOYED, ORDERS_PER_SECOND, Design, Figures, Scene, document, row
from infra.bench.flash_sale.sale import Sale, deployment

FLASH: Final = Scene(orders=10_000, units=1_000)
ENOUGH: Final = Scene(orders=10_000, units=10_000)
"""The same without an end of the stock: every order meets the others at the stock line."""
SMALL: Final = Scene(orders=1_000, units=100)
NEW_TABLE: Final = Scene(orders=10_000, units=1_000, partitions=4)

ALONE_ONCE: Final = Design("each alone, put off when it lost", tries=1)
ALONE: Final = Design("each alone, ten tries (as it was)")
GROUPS: Final = Design("groups in the ordinary lane", together=True)


def hot(writers: int, batch: int = 99) -> Design:
    return Design(f"hot lane, {writers} × {batch}", together=True, hot_writers=writers, hot_batch=batch)


def deployed() -> Design:
    """As the template has it."""
    sources = {source.queue.rpartition("-")[0]: source for source in deployment().queue_sources}
    (lane,) = (source for source in sources.values() if source.queue.endswith("-hot-orders"))
    (ordinary,) = (source for source in deployment().queue_sources if source.queue == lane.queue.replace("hot-", ""))
    function = deployment().functions[lane.function]
    return Design(
        DEPLOYED,
        together=True,
        hot_writers=lane.maximum_concurrency or 0,
        hot_batch=lane.batch_size,
        workers=ordinary.maximum_concurrency or 0,
        memory_mb=function.memory_mb,
    )


def measure() -> Iterator[Figures]:
    """For `make bench`: the deployed design on the whole sale, and the others on a small one."""
    for design in (ALONE_ONCE, ALONE, GROUPS):
        yield Sale(design, SMALL).play()
    yield Sale(deployed(), FLASH).play()


def decision(found: Iterable[Figures]) -> str:
    """The fewest writers that keep up."""
    enough = [one for one in found if one.design.hot_writers and one.orders_per_second >= ORDERS_PER_SECOND]
    if not enough:
        return f"No design commits {ORDERS_PER_SECOND:.0f} orders a second."
    best = min(enough, key=lambda one: (one.design.hot_writers, -one.orders_per_second))
    return (
        f"Decision: {best.design.name}: {best.orders_per_second:.0f} orders/s with the fewest writers, "
        f"{100 * best.hot.refused_per_order:.1f} refusals per 100 orders of the hot lane."
    )


_DESIGNS: Final = (
    ALONE_ONCE, ALONE, GROUPS,
    *(hot(1, batch) for batch in (10, 25, 50, 99)), *(hot(2, batch) for batch in (10, 25, 50, 99)),
    *(hot(writers, batch) for writers in (4, 6, 8) for batch in (50, 99)),
)  # fmt: skip


def compare(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document for each design, line by line.")] = False,
    orders: Annotated[int, typer.Option(min=10, help="Of the sale; a tenth of them find a unit.")] = FLASH.orders,
    seed: Annotated[int, typer.Option(help="Of everything that happens by chance.")] = FLASH.seed,
) -> None:
    """Play the sale under every design, and say which is the one to deploy. Takes some minutes."""
    flash = Scene(orders, orders // 10, seed=seed)
    played: list[Figures] = []
    for design in _DESIGNS:
        # Alone, 10,000 orders of a hot SKU are hours of tries: a tenth of them shows what there is to see.
        scene = flash if design.together else Scene(orders // 10, orders // 100, seed=seed)
        played.append(_played(design, scene, as_json=as_json))
    chosen = deployed()
    for scene in (flash, Scene(orders, orders, seed=seed), Scene(orders, orders // 10, seed=seed, partitions=4)):
        name = f"{DEPLOYED}, {scene.partitions} partitions"
        _played(Design(**{**asdict(chosen), "name": name}), scene, as_json=as_json)
    if not as_json:
        typer.echo(decision(found for found in played if found.scene == flash))


def _played(design: Design, scene: Scene, *, as_json: bool) -> Figures:
    found = Sale(design, scene).play()
    if as_json:
        typer.echo(json.dumps(document(found)))
    else:
        show([found])
    return found


def show(figures: Sequence[Figures]) -> None:
    table = Table(*COLUMNS, header_style="bold")
    for found in figures:
        table.add_row(*row(found))
    Console().print(table)


if __name__ == "__main__":
    typer.run(compare)
