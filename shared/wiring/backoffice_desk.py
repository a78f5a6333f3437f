"""Put a shop's books together: its back office's adapter, loaded when it is needed."""

import ssl
from functools import cache, partial

import httpx

from shared.backoffices.http import TIMEOUT
from shared.backoffices.port import BackOffice
from shared.kernel.clock import utc_now
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected
from shared.platform.configuration import ApiCredentials, settings
from shared.platform.settings import BackOfficeSettings
from shared.sync.backoffice.push import BooksDesk
from shared.wiring.backoffice_tables import mirror_table
from shared.wiring.order_desk import desk as order_desk


def books_desk(shop: str) -> BooksDesk:
    """The shop's books by today's settings.

    Raises:
        Rejected: `unknown_shop`; `no_backoffice` when its orders stay here.
    """
    name = settings().shop(shop).backoffice
    if name is None:
        raise Rejected(
            "no_backoffice", f"shop {shop} has no back office", field=f"shops.{shop}.backoffice", hint="name one"
        )
    connected = settings().backoffice(name)
    return BooksDesk(
        name=name,
        office=office(name, connected),
        rules=connected,
        orders=order_desk(shop),
        mirrors=mirror_table(),
        clock=utc_now,
    )


def connected_office(name: str) -> BackOffice:
    """One back office by its name in the settings, or `Rejected` with code `unknown_backoffice`."""
    return office(name, settings().backoffice(name))


_made: dict[str, tuple[BackOfficeSettings, BackOffice]] = {}


def office(name: str, connected: BackOfficeSettings) -> BackOffice:
    """One back office's adapter, kept for the environment's life, or until its settings change."""
    kept = _made.get(name)
    if kept is None or kept[0] != connected:
        kept = connected, _adapter(name, connected)
        _made[name] = kept
    return kept[1]


def _adapter(name: str, connected: BackOfficeSettings) -> BackOffice:
    raise Rejected("unknown_backoffice", f"{name}: there is no adapter for {connected.vendor}")


def _credentials(name: str) -> Credentials:
    return partial(_api_credentials().of, name)


@cache
def _api_credentials() -> ApiCredentials:
    return ApiCredentials()


@cache
def _http() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT, verify=ssl.create_default_context(), follow_redirects=False)
