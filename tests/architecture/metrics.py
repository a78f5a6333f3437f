"""Which metrics the code emits, from its text: the name, the labels that become dimensions, and the module."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.platform.observability import BESIDE

ROOT = Path(__file__).resolve().parents[2]
_METRIC = re.compile(r"(?:[A-Z][a-z]+)+")
_EMITTERS = {"count", "emf.count"}


@dataclass(frozen=True)
class Emitted:
    """One metric at one place."""

    name: str
    dimensions: frozenset[str]
    """Without `service`, which every metric has."""
    module: str


@cache
def emitted() -> frozenset[Emitted]:
    """Every metric that `shared` counts.

    A name that is no constant is looked for where it comes from: in the loop that it runs through, in the callers of
    the function whose parameter it is, or among the words that `done_with(thing=…)` is called with.
    """
    return frozenset(found for path in sorted((ROOT / "shared").rglob("*.py")) for found in _of(path))


def _of(path: Path) -> Iterator[Emitted]:
    text = path.read_text(encoding="utf-8")
    if path.name in {"emf.py", "observability.py"} or not ("observability" in text or "emf" in text):
        return
    tree = ast.parse(text)
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) in _EMITTERS:
                labels = frozenset(word.arg or "**" for word in call.keywords) - BESIDE
                for name in _names(call.args[0], function, tree):
                    yield Emitted(name, labels, module)


def _names(given: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> set[str]:
    if isinstance(given, ast.Constant):
        return {str(given.value)}
    if isinstance(given, ast.JoinedStr):
        tail = "".join(str(part.value) for part in given.values if isinstance(part, ast.Constant))
        return {f"{thing}{tail}" for thing in _things()}
    assert isinstance(given, ast.Name), ast.unparse(given)
    if given.id in {argument.arg for argument in function.args.args}:
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        own = [call for call in calls if ast.unparse(call.func) == function.name]
        return {str(call.args[0].value) for call in own if isinstance(call.args[0], ast.Constant)}
    loops = [node.iter for node in ast.walk(function) if isinstance(node, ast.For)]
    words = [node.value for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Constant)]
    return {word for word in words if isinstance(word, str) and _METRIC.fullmatch(word)}


@cache
def _things() -> set[str]:
    """What the intakes call what their queues bring."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    return {
        str(word.value.value)
        for text in texts
        if "thing=" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "thing" and isinstance(word.value, ast.Constant)
    }
