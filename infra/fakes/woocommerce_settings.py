"""What the fake WooCommerce shop says of itself, in the shapes of 10.0.2's settings and system status."""

from dataclasses import dataclass

from infra.fakes.woocommerce_requests import Json, RestError


@dataclass
class SiteSettings:
    currency: str = "EUR"
    prices_include_tax: bool = True
    version: str = "10.0.2"
    readable: bool = True
    """Whether our key's user may manage the shop."""

    def group(self, name: str) -> list[Json]:
        self._require()
        groups = {
            "general": [{"id": "woocommerce_currency", "type": "select", "value": self.currency}],
            "tax": [
                {
                    "id": "woocommerce_prices_include_tax",
                    "type": "radio",
                    "value": "yes" if self.prices_include_tax else "no",
                }
            ],
        }
        if name not in groups:
            raise RestError(404, "rest_setting_setting_group_invalid")
        return groups[name]

    def status(self) -> Json:
        self._require()
        return {"environment": {"version": self.version}}

    def _require(self) -> None:
        if not self.readable:
            raise RestError(401, "woocommerce_rest_cannot_view")
