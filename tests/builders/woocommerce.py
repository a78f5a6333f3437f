"""Moved."""
from infra.samples.woocommerce import *  # noqa: F403
