"""A history in which several buyers want the last units at one moment."""

from dataclasses import replace

from tests.simulation.history import SKUS, History, Plan

_BUYERS = (2, 3, 3, 4)


class RushHistory(History):
    NAME = "rush"

    def _plan(self) -> Plan:
        plan = super()._plan()
        habits = replace(plan.habits, at_once=True, late=0.0, lost=0.0)
        return replace(plan, habits=habits, stock={sku: self.dice.randint(1, 3) for sku in SKUS})

    def _live(self) -> None:
        for number in range(self.dice.choice(_BUYERS)):
            key = str(5001 + number)
            self._later(0.0, f"order {key}", lambda key=key: self._buy(key))  # type: ignore[misc]
        self._later(self.dice.choice((0.01, 0.3, 5.0)), "somebody acts", self._act)
        self._run()

    def _buy(self, order_id: str) -> None:
        units = {SKUS[0]: self.dice.randint(1, 2)}
        self._told(f"{order_id}: {units}")
        self.shop.place(order_id, units)
