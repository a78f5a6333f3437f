"""The template as far as it tells what costs: who is traced, what Lambda logs, what stands there by the month."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from infra.local.intrinsics import Resolver
from infra.local.stack import ROOT
from infra.local.template import STACK_NAME, Deployment, Function, load_deployment, load_resolver

_TEMPLATE = ROOT / "template.yaml"


@dataclass(frozen=True)
class Topology:
    deployment: Deployment
    resolver: Resolver

    @classmethod
    def load(cls) -> "Topology":
        return cls(load_deployment(_TEMPLATE), load_resolver(_TEMPLATE))

    def short(self, name: str) -> str:
        """A resource's name without the stack's."""
        return name.removeprefix(f"{STACK_NAME}-")

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        return {self.short(name): function for name, function in self.deployment.functions.items()}

    def traces(self, function: str) -> bool:
        mode = self._properties(function).get("TracingConfig", {}).get("Mode")
        return bool(mode == "Active")

    def logs_platform(self, function: str) -> bool:
        """Whether Lambda's own lines of each run are logged: at INFO, which it takes when nothing is said."""
        level = self._properties(function).get("LoggingConfig", {}).get("SystemLogLevel", "INFO")
        return level in {"DEBUG", "INFO"}

    @cached_property
    def kinds(self) -> Counter[str]:
        """How many resources of each type are there with the parameters' defaults."""
        return Counter(
            resource["Type"]
            for resource in self.resolver.template["Resources"].values()
            if self.resolver.exists(resource)
        )

    @cached_property
    def gathered(self) -> frozenset[tuple[str, str]]:
        """Queues and tables, each with the function, of which what comes within some seconds is handed out together."""
        return frozenset(
            (_source_name(given["EventSourceArn"]), self.short(_function_name(given["FunctionName"])))
            for given in self._of_type("AWS::Lambda::EventSourceMapping")
            if given.get("MaximumBatchingWindowInSeconds", 0) > 0
        )

    @cached_property
    def filters(self) -> Mapping[tuple[str, str], tuple[Mapping[str, Any], ...]]:
        """The patterns of which a record of a table has to meet one, or the function never hears of it."""
        return {
            (_source_name(given["EventSourceArn"]), self.short(_function_name(given["FunctionName"]))): tuple(
                json.loads(one["Pattern"]) for one in given["FilterCriteria"]["Filters"]
            )
            for given in self._of_type("AWS::Lambda::EventSourceMapping")
            if "FilterCriteria" in given
        }

    def _of_type(self, kind: str) -> Iterator[dict[str, Any]]:
        for resource in self.resolver.template["Resources"].values():
            if resource["Type"] == kind and self.resolver.exists(resource):
                yield self.resolver.resolve(resource["Properties"])

    @cached_property
    def alarm_metrics(self) -> int:
        """Metrics that alarms watch: an alarm that reckons with several is billed for each."""
        alarms = self._of_type("AWS::CloudWatch::Alarm")
        return sum(max(1, sum("MetricStat" in each for each in alarm.get("Metrics", ()))) for alarm in alarms)

    def _properties(self, function: str) -> dict[str, Any]:
        logical = self.functions[function].logical_id
        resolved: dict[str, Any] = self.resolver.resolve(self.resolver.template["Resources"][logical]["Properties"])
        return resolved


def _source_name(arn: str) -> str:
    """Of a queue or a table."""
    return arn.partition(":table/")[2].partition("/")[0] or arn.rpartition(":")[2]


def _function_name(name: str) -> str:
    """Without the account before it and the alias behind it, if it has them."""
    return name.partition(":function:")[2].partition(":")[0] or name


def meets(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a record has what the pattern asks for, as far as ours ask: values, beginnings of values, and whether
    something is there (Lambda Developer Guide, "Control which events Lambda sends to your function")."""
    return all(_meets(wanted, record.get(name, _NOTHING)) for name, wanted in pattern.items())


_NOTHING: Final = object()


def _meets(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and meets(wanted, found)
    return any(_is_one(each, found) for each in wanted)


def _is_one(wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(wanted == found)
    if "prefix" in wanted:
        return isinstance(found, str) and found.startswith(wanted["prefix"])
    if "exists" in wanted:
        return (found is not _NOTHING) is wanted["exists"]
    raise ValueError(f"a filter asks for {sorted(wanted)}, which is not known here")
