"""`python -m tests.attack [SCHEMATHESIS OPTIONS]`: the local stack, and Schemathesis against its HTTP API.

Promised: no answer is a server's error, each is one that `infra/schemas/openapi.json` documents, in its shape, and the
functions' logs hold no traceback.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from infra.local.provision import Contents
from infra.local.stack import LocalStack, Options
from infra.samples import alipay, paypal, wechatpay
from infra.schemas import openapi

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = ROOT / ".venv-attack" / "bin" / "schemathesis"
SECRET: Final = "attack-secret"
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""Not those that ask for the acceptance of what was made up: nothing of it was sent by a shop."""


def contents() -> Contents:
    """Two shops and an account at each provider; nothing may be asked of any of them."""
    shop: dict[str, Any] = {"locations": ["main"], "api_access": False}
    account: dict[str, Any] = {"api_access": False}
    settings = {
        "locations": {"main": {"name": "Main"}},
        "shops": {
            "aurora": {**shop, "platform": "shopify", "address": "aurora.myshopify.com"},
            "borealis": {**shop, "platform": "woocommerce", "address": "borealis.example"},
        },
        "payments": {
            "stripe-eu": {**account, "vendor": "stripe"},
            "paypal-eu": {**account, "vendor": "paypal"},
            "alipay-cn": {**account, "vendor": "alipay", "merchant_id": alipay.APP_ID},
            "wechat-cn": {**account, "vendor": "wechatpay", "merchant_id": wechatpay.MERCHANT_ID},
        },
    }
    webhooks = {name: [SECRET] for name in (*settings["shops"], "stripe-eu")}
    webhooks |= {"paypal-eu": [paypal.WEBHOOK_ID], "alipay-cn": [alipay.keys().public]}
    webhooks |= {"wechat-cn": list(wechatpay.secrets())}
    return Contents(settings=settings, secrets={"webhooks": webhooks, "api": {}})


def main(options: list[str]) -> int:
    with LocalStack(Options(contents=contents())) as stack:
        command = [str(PROGRAM), "run", str(openapi.PATH), "--url", stack.url, "--checks", ",".join(CHECKS), *options]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.attack.hooks", "PYTHONPATH": str(ROOT)}
        failed = subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode
        logs = "\n".join(path.read_text(errors="replace") for path in stack.logs.rglob("*") if path.is_file())
    taken, refused = logs.count('"WebhookAccepted"'), logs.count('"WebhookRefused"')
    print(f"the webhooks' metrics name {taken} deliveries taken in and {refused} refused")  # noqa: T201 - a command
    if "Traceback" in logs or "stackTrace" in logs:
        print("a function's log holds a traceback")  # noqa: T201 - a command
        return 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
