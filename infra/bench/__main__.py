"""`python -m infra.bench`: exact counters first, then times as ratios. Status 1 when an exact target is missed."""

import json
import logging
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from infra.bench import backoffice, cpu, customers, hot_sku, imports, letters, money, persons, throughput, units
from infra.bench.report import Report, show
from infra.local.dynoxide import EngineUnavailable
from infra.tryton.server import TrytonUnavailable


class Part(StrEnum):
    UNITS = "units"
    BACKOFFICE = "backoffice"
    CUSTOMERS = "customers"
    PERSONS = "persons"
    LETTERS = "letters"
    MONEY = "money"
    IMPORTS = "imports"
    CPU = "cpu"
    THROUGHPUT = "throughput"
    HOT_SKU = "hot-sku"


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document in place of tables.")] = False,
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part only. May be given again.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Fresh processes for each import time.")] = 9,
    orders: Annotated[int, typer.Option(min=2, help="Orders through the local stack.")] = 200,
) -> None:
    """Measure what an order, a customer and their money cost: CPU, DynamoDB units, imports, calls, the local stack."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics of its own when a stack is dropped
    parts = set(only or Part)
    console = Console(stderr=True)
    try:
        report = _measure(parts, processes, orders)
    except (EngineUnavailable, TrytonUnavailable) as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(report.as_document(), indent=2))
    else:
        show(report, Console())
    if any(target.exact and not target.met for target in report.targets()):
        raise typer.Exit(1)


def _measure(parts: set[Part], processes: int, orders: int) -> Report:
    return Report(
        units=tuple(units.measure()) if Part.UNITS in parts else (),
        backoffice=tuple(backoffice.measure()) if Part.BACKOFFICE in parts else (),
        customers=tuple(customers.measure()) if Part.CUSTOMERS in parts else (),
        persons=tuple(persons.measure()) if Part.PERSONS in parts else (),
        letters=tuple(letters.measure()) if Part.LETTERS in parts else (),
        money=tuple(money.measure()) if Part.MONEY in parts else (),
        imports=tuple(imports.measure(processes)) if Part.IMPORTS in parts else (),
        cpu=tuple(cpu.measure()) if Part.CPU in parts else (),
        throughput=(throughput.measure(orders),) if Part.THROUGHPUT in parts else (),
        sales=tuple(hot_sku.measure()) if Part.HOT_SKU in parts else (),
    )


if __name__ == "__main__":
    typer.run(bench)
