"""Places in an item: found, written and removed without touching what is stored."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from infra.fakes.aws.dynamodb.errors import Invalid
from infra.fakes.aws.dynamodb.grammar import Path, Steps
from infra.fakes.aws.dynamodb.values import Item, Value

Names = Mapping[str, str]

_NO_PLACE: Final = "The document path provided in the update expression is invalid for update"


def named(path: Path, names: Names) -> Path:
    """The path with its placeholders replaced, or `Invalid`."""
    return Path(tuple(step if isinstance(step, int) else _name(step, names) for step in path.steps))


def _name(step: str, names: Names) -> str:
    if not step.startswith("#"):
        return step
    if step not in names:
        raise Invalid(f"An expression attribute name used in the document path is not defined; attribute name: {step}")
    return names[step]


def finder(steps: Steps) -> Callable[[Item], Value | None]:
    """What finds the value of a path in an item."""
    first = steps[0]
    if len(steps) == 1:
        return lambda item: item.get(first)  # type: ignore[arg-type] # the first step is a name
    return lambda item: find(item, steps)


def find(item: Item, steps: Steps) -> Value | None:
    value: Value | None = item.get(steps[0])  # type: ignore[arg-type] # the first step is a name
    for step in steps[1:]:
        if value is None:
            return None
        value = _inner(value, step)
    return value


def _inner(value: Value, step: str | int) -> Value | None:
    if isinstance(step, str):
        inside: Value | None = value.get("M", {}).get(step)
        return inside
    members: list[Value] = value.get("L", [])
    return members[step] if step < len(members) else None


def write(item: Item, steps: Steps, new: Value) -> None:
    """Write a value into an item that is the caller's own; what lies on the way is copied.

    An index behind the end of a list appends.
    """
    holder, last = _open(item, steps)
    if isinstance(holder, list) and isinstance(last, int) and last >= len(holder):
        holder.append(new)
    else:
        holder[last] = new


def remove(item: Item, steps: Steps) -> None:
    """Remove a place from an item that is the caller's own, if it is there."""
    holder, last = _open(item, steps)
    if isinstance(holder, list):
        if isinstance(last, int) and last < len(holder):
            del holder[last]
    else:
        holder.pop(last, None)


def _open(item: Item, steps: Steps) -> tuple[Any, str | int]:
    """The map or list that holds the path's last step, made the caller's own."""
    holder: Any = item
    for step, following in pairwise(steps):
        kind = "M" if isinstance(following, str) else "L"
        inside = _member(holder, step)
        if inside is None or kind not in inside:
            raise Invalid(_NO_PLACE)
        own = inside[kind].copy()
        holder[step] = {kind: own}
        holder = own
    return holder, steps[-1]


def _member(holder: Any, step: str | int) -> Value | None:
    if isinstance(step, int):
        return holder[step] if step < len(holder) else None
    found: Value | None = holder.get(step)
    return found


def excerpt(item: Item, paths: tuple[Steps, ...]) -> Item:
    """A new item with nothing but what lies at some paths; lists close up."""
    tree: dict[str | int, Any] = {}
    for steps in paths:
        branch = tree
        for step in steps[:-1]:
            branch = branch.setdefault(step, {})
        branch[steps[-1]] = None
    return {
        str(name): kept
        for name, branch in tree.items()
        if (value := item.get(name)) is not None  # type: ignore[arg-type] # the first step is a name
        and (kept := _cut(value, branch)) is not None
    }


def _cut(value: Value, branch: dict[str | int, Any] | None) -> Value | None:
    if branch is None:
        return value
    if isinstance(next(iter(branch)), str):
        found = {name: (_inner(value, name), below) for name, below in branch.items()}
        kept = {name: cut for name, (one, below) in found.items() if one is not None and (cut := _cut(one, below))}
        return {"M": kept} if kept else None
    members = ((_inner(value, index), branch[index]) for index in sorted(branch))
    cuts = [cut for one, below in members if one is not None and (cut := _cut(one, below))]
    return {"L": cuts} if cuts else None


def check_apart(paths: list[Path], kind: str) -> None:
    """Refuse paths of which one holds the other, or that take one value for a map and for a list."""
    for number, one in enumerate(paths):
        for other in paths[:number]:
            common = next(
                (place for place, (a, b) in enumerate(zip(one.steps, other.steps, strict=False)) if a != b), None
            )
            if common is None:
                _refuse_pair(kind, "overlap", one, other)
            elif type(one.steps[common]) is not type(other.steps[common]):
                _refuse_pair(kind, "conflict", one, other)


def _refuse_pair(kind: str, how: str, one: Path, other: Path) -> None:
    longer, shorter = (one, other) if len(one.steps) > len(other.steps) else (other, one)
    raise Invalid(
        f"Invalid {kind}: Two document paths {how} with each other; must remove or rewrite one of these paths;"
        f" path one: {longer}, path two: {shorter}"
    )
