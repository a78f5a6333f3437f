"""Moved."""
from infra.samples.shopify import *  # noqa: F403
