"""Connect back offices: each vendor's adapter, loaded when it is needed, over one HTTP connection pool."""

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

import httpx
from pydantic import ValidationError

from shared.backoffices.http import TIMEOUT
from shared.backoffices.port import BackOffice
from shared.kernel.clock import utc_now
from shared.kernel.credentials import Credentials
from shared.kernel.errors import Rejected
from shared.kernel.model import faults_of
from shared.platform.configuration import ApiCredentials, settings
from shared.platform.kept import MadeOnce
from shared.platform.settings import BackOfficeSettings
from shared.sync.backoffice.services import ServiceCatalogue


def connected_office(name: str) -> BackOffice:
    """One back office by its name in the settings, or `Rejected` with code `unknown_backoffice`."""
    return office(name, settings().backoffice(name))


class _Connection(NamedTuple):
    office: BackOffice
    services: ServiceCatalogue


def office(name: str, connected: BackOfficeSettings) -> BackOffice:
    """One back office's adapter, kept for the environment's life, or until its settings change."""
    return _connection(name, connected).office


def services(name: str, connected: BackOfficeSettings) -> ServiceCatalogue:
    """What this process knows of the back office's services."""
    return _connection(name, connected).services


@MadeOnce
def _connection(name: str, connected: BackOfficeSettings) -> _Connection:
    adapter = _adapter(name, connected)
    return _Connection(adapter, ServiceCatalogue(adapter, time.monotonic))


def _adapter(name: str, connected: BackOfficeSettings) -> BackOffice:
    """The vendor's adapter; only that vendor's package is loaded."""
    return _ADAPTERS[connected.vendor](name, connected)


def _tryton(name: str, connected: BackOfficeSettings) -> BackOffice:
    from shared.backoffices.tryton.backoffice import TrytonBackOffice  # noqa: PLC0415 - load one vendor only

    database = _required(name, "database", connected.database)
    return TrytonBackOffice(connected.address, database, _credentials(name), _http())


def _odoo(name: str, connected: BackOfficeSettings) -> BackOffice:
    from shared.backoffices.odoo.backoffice import OdooBackOffice  # noqa: PLC0415

    database = _required(name, "database", connected.database)
    return OdooBackOffice(connected.address, database, _credentials(name), _http(), transport=connected.transport)


def _erpnext(name: str, connected: BackOfficeSettings) -> BackOffice:
    from shared.backoffices.erpnext.backoffice import ErpNextBackOffice  # noqa: PLC0415

    company = _required(name, "company", connected.company)
    return ErpNextBackOffice(connected.address, company, _credentials(name), _http())


def _jiandaoyun(name: str, connected: BackOfficeSettings) -> BackOffice:
    from shared.backoffices.jiandaoyun.backoffice import JiandaoyunBackOffice  # noqa: PLC0415
    from shared.backoffices.jiandaoyun.pace import Pace  # noqa: PLC0415
    from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping  # noqa: PLC0415

    try:
        mapping = JiandaoyunMapping.model_validate(connected.mapping)
    except ValidationError as error:
        fault = faults_of(error)[0]
        field = f"backoffices.{name}.mapping.{fault.field}"
        raise Rejected("invalid_settings", fault.message, field=field) from error
    pace = Pace(utc_now, time.sleep)
    return JiandaoyunBackOffice(connected.address, mapping, _credentials(name), _http(), utc_now, pace)


_ADAPTERS: Mapping[str, Callable[[str, BackOfficeSettings], BackOffice]] = {
    "tryton": _tryton,
    "odoo": _odoo,
    "erpnext": _erpnext,
    "jiandaoyun": _jiandaoyun,
}


def _required(name: str, field: str, value: str | None) -> str:
    if value is None:
        raise Rejected("invalid_settings", "it is needed for this vendor", field=f"backoffices.{name}.{field}")
    return value


def _credentials(name: str) -> Credentials:
    return partial(_api_credentials().of, name)


@cache
def _api_credentials() -> ApiCredentials:
    return ApiCredentials()


@cache
def _http() -> httpx.Client:
    from shared.platform.outbound import transport  # noqa: PLC0415 - with httpcore 40 modules, at the first call

    tls = ssl.create_default_context()
    guarded = {"all://": transport(tls, own_network=True)}
    return httpx.Client(timeout=TIMEOUT, verify=tls, follow_redirects=False, mounts=guarded)
