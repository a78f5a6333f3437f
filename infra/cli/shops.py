"""`storebridge shops`."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from infra.cli.credentials import api_credentials, privacy_faults, webhook_secrets
from infra.cli.order_facts import Json
from infra.cli.output import table
from infra.cli.settings_document import deployed_document, faults_of
from infra.cli.target import Target, session
from shared.platform.settings import Settings, ShopSettings, parse_settings, read_settings_file

app = typer.Typer(no_args_is_help=True, help="See which shops are connected, and whether all is set up.")

CREDENTIAL_FIELDS = {"shopify": ("access_token",), "woocommerce": ("consumer_key", "consumer_secret")}
"""What each platform's client reads of a shop's API credentials."""
CheckedFile = Annotated[Path | None, typer.Option("--settings", help="Check this file, not what is deployed.")]


@app.command("list", epilog="Example: storebridge shops list")
def list_shops(ctx: typer.Context) -> None:
    """The shops that the settings connect."""
    here = session(ctx)
    target = here.target
    shops = parse_settings(deployed_document()).shops
    here.output.show({"shops": [_facts(name, shop, target) for name, shop in sorted(shops.items())]}, _listed)


def _facts(name: str, shop: ShopSettings, target: Target) -> Json:
    return {
        "shop": name,
        "platform": shop.platform,
        "address": shop.address,
        "locations": list(shop.locations),
        "api_access": shop.api_access,
        "keeps_stock": shop.keeps_stock,
        "endpoint": target.endpoint_of(name),
        "customers_endpoint": target.customers_endpoint_of(name),
    }


def _listed(facts: Json) -> Iterator[RenderableType]:
    rows = [
        (s["shop"], s["platform"], s["address"], ", ".join(s["locations"]), "yes" if s["api_access"] else "no")
        for s in facts["shops"]
    ]
    yield table("shop", "platform", "address", "locations", "API", rows=rows)


@app.command(epilog="Example: storebridge shops check --settings settings.toml")
def check(ctx: typer.Context, settings: CheckedFile = None) -> None:
    """Whether settings, secrets and credentials are complete, and what to enter in each shop. Ends with 1 if not."""
    here = session(ctx)
    target = here.target
    document = read_settings_file(settings) if settings else deployed_document()
    faults = faults_of(document)
    shops = [] if faults else checked(parse_settings(document), webhook_secrets(), api_credentials(), target)
    privacy = [{"field": "privacy", "message": message} for message in privacy_faults()]
    ok = not (faults or privacy) and all(shop["ok"] for shop in shops)
    pages = None if faults else parse_settings(document).public_url or target.webhook_base_url
    here.output.show({"ok": ok, "settings": faults, "privacy": privacy, "pages": pages, "shops": shops}, _checked)
    if not ok:
        raise typer.Exit(1)


def checked(
    settings: Settings,
    secrets: Mapping[str, list[str]],
    credentials: Mapping[str, Mapping[str, str]],
    target: Target,
) -> list[Json]:
    """What each shop has, and what is missing. Never a secret's value. A set of locations is valid settings' own."""
    found = []
    for name, shop in sorted(settings.shops.items()):
        faults = [*_secret_faults(name, secrets.get(name, [])), *_api_faults(name, shop, credentials.get(name))]
        facts = _facts(name, shop, target) | {"webhook_secrets": len(secrets.get(name, []))}
        found.append(facts | {"ok": not faults, "faults": faults})
    return found


def _secret_faults(name: str, secrets: list[str]) -> Iterator[Json]:
    if not secrets:
        yield {"field": f"webhooks.{name}", "message": "no webhook secret is set: every delivery is refused"}


def _api_faults(name: str, shop: ShopSettings, credentials: Mapping[str, str] | None) -> Iterator[Json]:
    if not shop.api_access:
        return
    wanted: Iterable[str] = CREDENTIAL_FIELDS[shop.platform]
    if credentials is None:
        message = f"no API credentials are set ({', '.join(wanted)}); or set api_access = false"
        yield {"field": f"api.{name}", "message": message}
        return
    for field in wanted:
        if not credentials.get(field):
            yield {"field": f"api.{name}.{field}", "message": "missing"}


def _checked(facts: Json) -> Iterator[RenderableType]:
    if facts["settings"]:
        yield _fault_table([*facts["settings"], *facts["privacy"]], "The settings are not valid")
        return
    rows = [
        (
            s["shop"],
            "ok" if s["ok"] else "fault",
            s["webhook_secrets"],
            ", ".join(s["locations"]),
            "kept" if s["keeps_stock"] else "left alone",
        )
        for s in facts["shops"]
    ]
    yield table("shop", "", "webhook secrets", "locations", "its stock", rows=rows)
    endpoints = [(s["shop"], s["endpoint"], s["customers_endpoint"]) for s in facts["shops"]]
    title = "Endpoints to enter in the shop"
    yield table("shop", "for orders", "for customers and privacy", rows=endpoints, title=title)
    yield f"Buyers' pages: {facts['pages']}"
    faults = [*facts["privacy"], *(fault for shop in facts["shops"] for fault in shop["faults"])]
    if faults:
        yield _fault_table(faults)


def _fault_table(faults: list[Json], title: str | None = None) -> RenderableType:
    return table("field", "fault", rows=[(fault["field"], fault["message"]) for fault in faults], title=title)
