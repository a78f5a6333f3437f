"""How closely a shop is looked after. Safe as it is; a merchant may say otherwise in the settings."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.kernel.model import Canonical

BaseUrl = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9][A-Za-z0-9.:/_~-]*$")]


class RepairRules(Canonical):
    """One shop's."""

    overlap_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """How far each look at what changed reaches back into the one before: shops' lists follow their orders late."""
    settle_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """What changed within this time is left to its webhook, which may be on its way."""
    first_look_back_hours: Annotated[int, Field(ge=1, le=1440)] = 24
    """How far back the first look goes. Shopify shows 60 days unless the app may read all orders."""
    check_subscriptions: bool = True
    """Keep the shop's webhooks in order. Off for a Shopify app that subscribes in its configuration file: the API does
    not list those, so that we would make all of them a second time."""
    former_base_urls: Annotated[tuple[BaseUrl, ...], Field(max_length=10)] = ()
    """Where this deployment's webhooks used to be: subscriptions there are ours, and moved. Others are left alone."""
    customers: bool = True
    """Look after its customers too. Off where our credentials may not read them."""
    watch_silence: bool = True
    """Call a person when the shop has had no order for improbably long."""
    silence_minutes: Annotated[int, Field(ge=30, le=10_080)] = 30
    """No silence shorter than this is called one."""
    silence_one_in: Annotated[int, Field(ge=10, le=1_000_000)] = 1000
    """How improbable a silence must be: once in so many."""
    history_weeks: Annotated[int, Field(ge=3, le=12)] = 6
    """How many weeks a silence is held against …"""
    history_weeks_needed: Annotated[int, Field(ge=2, le=12)] = 3
    """… and how many of them there must be before anything is called a silence."""

    @property
    def overlap(self) -> timedelta:
        return timedelta(minutes=self.overlap_minutes)

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settle_seconds)

    @property
    def first_look_back(self) -> timedelta:
        return timedelta(hours=self.first_look_back_hours)

    @property
    def shortest_silence(self) -> timedelta:
        return timedelta(minutes=self.silence_minutes)
