"""`storebridge send`: a signed webhook, as a shop would send it."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import RenderableType
from rich.text import Text

from infra.cli.credentials import webhook_secrets
from infra.cli.order_facts import Json
from infra.cli.output import pairs, printable
from infra.cli.target import session
from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.errors import Rejected, Retry
from shared.platform.configuration import settings
from shared.platform.settings import ShopSettings
from shared.storefronts.shopify import signature as shopify
from shared.storefronts.woocommerce import signature as woocommerce
from shared.webhooks.ingress import Authenticated

app = typer.Typer()

DEFAULT_TOPICS = {"shopify": "orders/updated", "woocommerce": "order.updated"}
_TIMEOUT_SECONDS = 30.0
_MAX_SHOWN = 2000


@app.command(epilog="Example: storebridge send order.json --shop aurora --topic orders/create --local")
def send(
    ctx: typer.Context,
    payload: Annotated[Path, typer.Argument(help="The body, sent byte for byte.", show_default=False)],
    shop: Annotated[str, typer.Option(help="The shop to send as.", show_default=False)],
    topic: Annotated[
        str | None,
        typer.Option(help="The vendor's topic [orders/updated or order.updated]; customers/create, customer.updated …"),
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="BASE", help="Another base URL than the stack's own.")] = None,
    secret: Annotated[
        str | None,
        typer.Option(envvar="STOREBRIDGE_WEBHOOK_SECRET", help="Another secret than the shop's first."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the request, and send nothing.")] = False,
) -> None:
    """Sign a file and post it to the shop's webhook for orders, or for customers, as the topic says.

    Ends with 1 unless the answer is a success (2xx).
    """
    here = session(ctx)
    target = here.target
    body = _read(payload)
    connected = settings().shop(shop)
    signing = secret or _first_secret(shop)
    named = topic or DEFAULT_TOPICS[connected.platform]
    headers = signed_headers(connected, body, signing, named)
    at = replace(target, webhook_base_url=url.rstrip("/")) if url else target
    endpoint = at.customers_endpoint_of(shop) if is_about_customers(named) else at.endpoint_of(shop)
    facts: Json = {"dry_run": dry_run, "url": endpoint, "bytes": len(body), "headers": headers}
    if not dry_run:
        facts |= _post(endpoint, body, headers, through_proxy=not target.local)
    here.output.show(facts, _sent)
    if not (dry_run or httpx.codes.is_success(facts["status"])):
        raise typer.Exit(1)


def is_about_customers(topic: str) -> bool:
    """`customers/create`, `customers_email_marketing_consent/update`, `customer.updated`, and a shop's erasure."""
    return topic.startswith("customer") or topic == "shop/redact"


def _read(payload: Path) -> bytes:
    try:
        return payload.read_bytes()
    except OSError as error:
        message = f"{payload} cannot be read: {error.strerror}"
        raise Rejected("unreadable_file", message, field="payload") from error


def _first_secret(shop: str) -> str:
    secrets = webhook_secrets().get(shop)
    if not secrets:
        hint = "add one to the webhook secret, or give it with --secret"
        raise Rejected("no_secret", "no webhook secret is set for this shop", field=f"webhooks.{shop}", hint=hint)
    return secrets[0]


def signed_headers(connected: ShopSettings, body: bytes, secret: str, topic: str) -> dict[str, str]:
    """The headers that the shop's platform would send with these bytes, now."""
    if connected.platform == "shopify":
        delivery = Authenticated(
            topic=topic,
            delivery_id=str(uuid.uuid4()),
            triggered_at=as_sortable(utc_now()),
            api_version=connected.api_version,
        )
        return shopify.request_headers(
            body, secret=secret, shop_address=connected.address, delivery=delivery, event_id=str(uuid.uuid4())
        )
    return woocommerce.request_headers(
        body, secret, source=f"https://{connected.address}/", topic=topic, delivery_id=uuid.uuid4().hex
    )


def _post(url: str, body: bytes, headers: dict[str, str], *, through_proxy: bool) -> Json:
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=through_proxy)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Rejected("invalid_url", f"{url!r} is no URL to post to", field="url") from error
    except httpx.HTTPError as error:
        message = f"{url} does not answer: {type(error).__name__}"
        raise Retry(
            "endpoint_unreachable", message, field="url", hint="is the stack up, and is this its URL?"
        ) from error
    return {"status": answer.status_code, "answer": _answer(answer)}


def _answer(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:_MAX_SHOWN]


def _sent(facts: Json) -> Iterator[RenderableType]:
    if facts["dry_run"]:
        yield Text(f"POST {facts['url']}  (dry run: nothing is sent; {facts['bytes']} bytes)")
        yield pairs(facts["headers"])
        return
    answer = facts["answer"] if isinstance(facts["answer"], str) else json.dumps(facts["answer"], ensure_ascii=False)
    style = "green" if httpx.codes.is_success(facts["status"]) else "red"
    yield Text.assemble((str(facts["status"]), style), f"  {printable(answer)}")
