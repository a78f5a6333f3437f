"""Things made once for each shop, although a shop's settings hold what cannot be hashed."""

from shared.platform.kept import MadeOnce
from shared.platform.settings import ShopSettings


def shop(**fields: object) -> ShopSettings:
    return ShopSettings.model_validate(
        {
            "platform": "shopify",
            "address": "aurora.myshopify.com",
            "locations": ["main"],
            "review": {"max_total": {"EUR": "200"}},
            **fields,
        }
    )


def test_it_is_made_once_and_again_when_the_settings_change() -> None:
    made: list[str] = []

    @MadeOnce
    def client(name: str, settings: ShopSettings) -> str:
        made.append(name)
        return f"{name} at {settings.address}"

    assert client("aurora", shop()) == client("aurora", shop()) == "aurora at aurora.myshopify.com"
    assert client("borealis", shop()).startswith("borealis")
    assert made == ["aurora", "borealis"]
    assert client("aurora", shop(address="moved.myshopify.com")).endswith("moved.myshopify.com")
    client.cache_clear()
    client("aurora", shop())
    assert made == ["aurora", "borealis", "aurora", "aurora"]
