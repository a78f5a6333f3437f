"""The error desk, an order's stand and its rehearsal, as facts for JSON and tables. Pure. The buyer only on demand."""

from collections.abc import Iterable, Sequence

from infra.cli.order_facts import Json, money, time
from shared.backoffices.documents import CustomerCard
from shared.orders.dispatch import Dispatch, digest
from shared.orders.errands import Office
from shared.orders.record import OrderRecord
from shared.sync.backoffice.books import Credit, PaymentDue, Taken
from shared.sync.backoffice.mirror import Mirror, Stop, Stopped, Told
from shared.sync.backoffice.rehearse import PlannedSale, Rehearsed
from shared.sync.stages import OrderStage, command_for
from shared.sync.stop_words import Language, advice_on


def stage_facts(stage: OrderStage) -> Json:
    return {"name": stage.name.value, "text": stage.text, "command": stage.command}


def stopped_facts(entry: Stopped, record: OrderRecord | None, language: Language) -> Json:
    """One entry of the error desk. The record is None where the order is there no more."""
    name = {"order": str(entry.key), "name": record.name if record else None}
    return {**name, **_stop(entry.stop, entry.office, entry, language)}


def _stop(stop: Stop, office: Office, of: Stopped | Mirror | Told, language: Language) -> Json:
    advice = advice_on(stop, language)
    return {
        "office": office.value,
        "code": stop.code,
        "reason": advice.reason,
        "message": stop.message,
        "field": stop.field,
        "hint": stop.hint,
        "todo": advice.todo,
        "who": advice.who_in_words,
        "since": time(stop.since),
        "attempts": stop.attempts,
        "passing": stop.passing,
        "command": command_for(stop, of.key),
    }


def stand_facts(
    record: OrderRecord, mirror: Mirror | None, told: Told | None, stage: OrderStage, language: Language
) -> Json:
    """All that is known of where an order stands."""
    stops = [
        _stop(side.stop, office, side, language)
        for side, office in ((mirror, Office.BACKOFFICE), (told, Office.STOREFRONT))
        if side is not None and side.stop is not None
    ]
    return {
        "order": str(record.key),
        "name": record.name,
        "revision": record.revision,
        "stage": stage_facts(stage),
        "backoffice": _mirror(mirror, record) if mirror else None,
        "storefront": _told(told, mirror) if told else None,
        "stops": stops,
    }


def _mirror(mirror: Mirror, record: OrderRecord) -> Json:
    skus = {line.line_id: line.sku for line in record.lines}
    return {
        "backoffice": mirror.backoffice,
        "sale_id": mirror.sale_id,
        "sale_number": mirror.sale_number,
        "state": mirror.state,
        "warehouse": mirror.warehouse,
        "pushed": mirror.pushed,
        "looked_at": time(mirror.looked_at),
        "documents": dict(mirror.documents),
        "promised": {place: dict(units) for place, units in mirror.promised.items()},
        "consignments": [_consignment(dispatch, skus) for dispatch in mirror.dispatches],
    }


def _consignment(dispatch: Dispatch, skus: dict[str, str | None]) -> Json:
    return {
        "key": dispatch.key,
        "left_at": time(dispatch.left_at),
        "delivered": dispatch.delivered,
        "lines": [
            {"line_id": line.line_id, "sku": skus.get(line.line_id), "quantity": line.quantity}
            for line in dispatch.lines
        ],
        "parcels": [parcel.model_dump() for parcel in dispatch.parcels],
    }


def _told(told: Told, mirror: Mirror | None) -> Json:
    dispatches = mirror.dispatches if mirror else ()
    return {
        "fulfilments": dict(told.known),
        "completed": told.completed,
        "cancelled": told.cancelled,
        "is_current": not dispatches or told.digest == digest(dispatches),
    }


def rehearsal_facts(found: Rehearsed, *, personal: bool) -> Json:
    """What a push would make of one order. The buyer only where he is asked for."""
    return {
        "order": f"{found.shop}/{found.order_id}",
        "name": found.name,
        "passes": found.passes,
        "sale_number": found.sale_number,
        "sale_state": found.sale_state,
        "steps": list(found.steps),
        "problems": [problem.model_dump() for problem in found.problems],
        "planned": _planned(found.planned, personal=personal) if found.planned else None,
    }


def _planned(sale: PlannedSale, *, personal: bool) -> Json:
    return {
        "stage": sale.stage.value,
        "customer": _customer(sale.customer, personal=personal),
        "warehouse": sale.warehouse,
        "lines": [
            {
                "key": line.key,
                "sku": line.sku,
                "quantity": line.quantity,
                "net": money(line.amount),
                "taxes": list(line.taxes),
                "goods": line.goods,
            }
            for line in sale.lines
        ],
        "total": money(sale.total),
        "invoice": sale.invoice.value,
        "payments": _payments(sale.payments),
        "returns": [
            *(_return(one.key, one.lines, received=True) for one in sale.returns),
            *(_return(f"recall/{line.key}", (line,), received=False) for line in sale.recalled),
        ],
        "credits": [_credit(credit) for credit in sale.credits],
    }


def _return(key: str, lines: Iterable[Taken], *, received: bool) -> Json:
    return {
        "key": key,
        "received": received,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in lines],
    }


def _customer(card: CustomerCard, *, personal: bool) -> Json:
    if personal:
        return card.model_dump(mode="json", exclude_none=True)
    own = {"key", "cleared", "for_one_order", "is_kept_up"}
    return {"given": sorted(card.model_dump(exclude_none=True, exclude=own))}


def _payments(due: Sequence[PaymentDue]) -> list[Json]:
    return [
        {"key": one.key, "method": one.method, "amount": money(one.amount), "paid_on": one.paid_on.isoformat()}
        for one in due
    ]


def _credit(credit: Credit) -> Json:
    return {
        "key": credit.key,
        "name": credit.name,
        "lines": [
            {"sku": one.line.sku, "quantity": one.line.quantity, "net": money(one.line.amount)} for one in credit.lines
        ],
        "paid_out": _payments(credit.paid_out),
    }
