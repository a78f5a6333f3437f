"""The stage of an order, as its shop is set up now."""

from typing import NamedTuple

from shared.orders.record import OrderRecord
from shared.platform.configuration import settings
from shared.sync.backoffice.mirror import Mirror, Told
from shared.sync.stages import OrderStage, stage_of
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.storefront_push import is_told


class Connections(NamedTuple):
    """Whom a shop's orders are told."""

    backoffice: str | None
    tells: bool


def connections_of(shop: str) -> Connections:
    """Nobody where the shop is connected no more."""
    known = settings().shops.get(shop)
    return Connections(known.backoffice, is_told(known)) if known else Connections(None, tells=False)


class Stand(NamedTuple):
    """All that is known of one order beyond its record."""

    mirror: Mirror | None
    told: Told | None
    stage: OrderStage


def stand_of(record: OrderRecord) -> Stand:
    """Read how far the back office and the storefront are, and say it in the language of the notices."""
    mirror, told = mirror_table().find(record.key), mirror_table().find_told(record.key)
    connected = connections_of(record.shop)
    stage = stage_of(
        record,
        mirror,
        told,
        connected=connected.backoffice is not None,
        tells=connected.tells,
        language=settings().notifications.language,
    )
    return Stand(mirror, told, stage)
