"""Shopify's published Admin schema, which the contract tests check our queries against."""

from pathlib import Path
from typing import Final

from infra.local.npm import fetch_member

API_VERSION: Final = "2026-10"
PACKAGE: Final = "@shopify/dev-mcp@1.16.0"
MEMBER: Final = f"package/dist/data/admin_{API_VERSION}.json.gz"
SHA256: Final = "f3b522f264556925eada700e795e4a002a9cba83444ebcc6c0d724254a0c6593"
SCHEMA_FILE: Final = Path(__file__).parents[2] / ".cache" / "shopify" / f"admin_{API_VERSION}.json.gz"


def fetch_schema(target: Path = SCHEMA_FILE) -> Path:
    """Put the pinned schema at `target` unless it is there already, or raise `NotFetched`."""
    return fetch_member(PACKAGE, MEMBER, SHA256, target)
