"""Fulfilments and their parcels."""

from itertools import zip_longest

from shared.orders.models import (
    Fulfilment,
    FulfilmentLine,
    Parcel,
)
from shared.storefronts.shopify import schemas
from shared.storefronts.shopify.figures import Context, id_of, time_of


def fulfilment_of(fulfilment: schemas.Fulfillment, context: Context, path: str) -> Fulfilment:
    return Fulfilment(
        id=id_of(fulfilment),
        status=(fulfilment.status or "").lower(),
        shipment_status=fulfilment.shipment_status,
        created_at=time_of(fulfilment.created_at, f"{path}.created_at"),
        location_id=fulfilment.location_id,
        lines=_fulfilment_lines(fulfilment, context, path),
        parcels=_parcels(fulfilment),
    )


def _fulfilment_lines(fulfilment: schemas.Fulfillment, context: Context, path: str) -> tuple[FulfilmentLine, ...]:
    return tuple(
        FulfilmentLine(
            line_id=context.line_id(None, line, f"{path}.line_items.{index}.id"),
            quantity=line.quantity or 0,
        )
        for index, line in enumerate(fulfilment.line_items)
    )


def _parcels(fulfilment: schemas.Fulfillment) -> tuple[Parcel, ...]:
    numbers = fulfilment.tracking_numbers or _one(fulfilment.tracking_number)
    urls = fulfilment.tracking_urls or _one(fulfilment.tracking_url)
    if not numbers and not urls:
        return (Parcel(carrier=fulfilment.tracking_company, number=None, url=None),) * bool(fulfilment.tracking_company)
    return tuple(
        Parcel(carrier=carrier or fulfilment.tracking_company, number=number, url=url)
        for carrier, number, url in zip_longest(fulfilment.tracking_companies, numbers, urls)
    )


def _one(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)
