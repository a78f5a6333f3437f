"""What a function's code can reach, by its types.

The project is strictly typed, so mypy knows of nearly every expression what it is. From a handler on, all that is
referred to is reached: functions also where they are only handed on, the initial value of a global where it is read.
A method is reached on every class that fits the type it is called on *and* that reached code makes ("rapid type
analysis", Bacon and Sweeney 1996): of ten adapters of a port, only those that a function wires. Dunder methods,
decorated ones and those that override a library's are reached with their class, for Python or a library calls them.

The answer errs on the side of too much: it knows no values, so that both sides of an `if` are reached.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import GetSetDescriptorType, MemberDescriptorType

from mypy import build, nodes, patterns, subtypes, types
from mypy.config_parser import parse_config_file
from mypy.modulefinder import BuildSource
from mypy.options import Options
from mypy.state import state
from mypy.typevars import fill_typevars_with_any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("functions", "shared")

NOT_FOLLOWED = (
    "annotated_types", "anyio", "aws_lambda_powertools", "charset_normalizer", "click", "cryptography", "dns",
    "email_validator", "h11", "httpcore", "httpx", "idna", "jinja2", "markdown_it", "mt940", "phonenumbers",
    "pydantic", "pydantic_core", "requests", "rich", "s3transfer", "typer", "urllib3", "xlsxwriter",
)  # fmt: skip
"""Libraries that neither call AWS for us nor hold objects of ours that do. Their types cost half of the time."""

_TYPE_TESTS = frozenset({"builtins.isinstance", "builtins.issubclass", "typing.cast"})
_PLAIN_BASES = frozenset(
    {"builtins.object", "builtins.tuple", "builtins.Exception", "enum.Enum", "typing.Generic", "typing.Protocol"}
)


@dataclass(frozen=True)
class Call:
    """A call in the code, and which unit of the code it stands in."""

    expression: nodes.CallExpr
    unit: str


@dataclass
class Mentions:
    """What one unit (a function, a class's body, a global's initial value) refers to."""

    names: set[str] = field(default_factory=set)
    """Functions, classes' members and globals, by full name."""
    made: set[str] = field(default_factory=set)
    """Classes that it makes objects of, or hands on to be made."""
    members: set[tuple[str, str]] = field(default_factory=set)
    """Class and attribute: what is asked of objects."""
    unknown: set[str] = field(default_factory=set)
    """Attributes asked of what has no known type."""
    inherited: set[tuple[str, str]] = field(default_factory=set)
    """The same through `super()`: class whose bases are asked, and attribute."""
    calls: list[nodes.CallExpr] = field(default_factory=list)
    indexed: list[nodes.IndexExpr] = field(default_factory=list)
    assigned: dict[str, list[nodes.Expression]] = field(default_factory=lambda: defaultdict(list))
    """Values of local names; of one that a loop or comprehension sets, what it goes through."""
    returned: list[nodes.Expression] = field(default_factory=list)


_NOT_PARTS = frozenset({"analyzed", "expanded", "info", "node", "original_decorators", "unanalyzed_items", "var"})
"""Attributes of mypy's nodes that point elsewhere, or to the same part once more."""
_PLAIN = frozenset({bool, int, str})
"""Values that are no parts, told apart first because most are such."""


def _parts(node: nodes.Node) -> Iterator[nodes.Node]:
    """What a node consists of. mypy's own visitors are compiled, and nobody else can inherit from them."""
    if isinstance(node, nodes.FuncItem):
        # Of a function whose type variables stand for a few types, mypy has a copy for each, and types in these alone.
        for variant in node.expanded:
            yield from _own_parts(variant)
    else:
        yield from _own_parts(node)


def _own_parts(node: nodes.Node) -> Iterator[nodes.Node]:
    for name in _attributes(type(node)):  # type: ignore[arg-type] # mypy's hash of a class of its own
        found = getattr(node, name, None)
        if found is None or found.__class__ in _PLAIN:
            continue
        stack = [found]
        while stack:
            part = stack.pop()
            if isinstance(part, nodes.Statement | nodes.Expression | nodes.Block | nodes.Argument | patterns.Pattern):
                yield part
            elif isinstance(part, list | tuple):
                stack.extend(part)


@cache
def _attributes(kind: type[nodes.Node]) -> tuple[str, ...]:
    fields = {
        name for name in dir(kind) if isinstance(getattr(kind, name, None), GetSetDescriptorType | MemberDescriptorType)
    }
    if issubclass(kind, nodes.NameExpr | nodes.StrExpr | nodes.IntExpr):
        return ()  # the most frequent ones
    if issubclass(kind, nodes.TryStmt):
        fields.discard("types")  # nothing is made of what is caught
    if issubclass(kind, patterns.ClassPattern):
        fields.discard("class_ref")  # or matched
    return tuple(sorted(fields - _NOT_PARTS))


class _Reader:
    """Collects what a part of the code mentions."""

    def __init__(self, known: Mapping[nodes.Expression, types.Type]) -> None:
        self._known = known
        self.mentions = Mentions()

    def read(self, node: nodes.Node) -> None:
        match node:
            case nodes.NameExpr():
                self._refer(node)
            case nodes.MemberExpr():
                self._ask(node)
                if isinstance(getattr(node.expr, "node", None), nodes.TypeInfo):
                    return  # a class's own member makes no object
            case nodes.SuperExpr() if node.info is not None:
                self.mentions.inherited.add((node.info.fullname, node.name))
            case nodes.CallExpr():
                self.mentions.calls.append(node)
                for info in infos(self._known.get(node.callee)):
                    self.mentions.members.add((info.fullname, "__call__"))
                if isinstance(node.callee, nodes.NameExpr) and node.callee.fullname in _TYPE_TESTS:
                    self.read(node.args[0])
                    return
            case _:
                self._note(node)
        for part in _parts(node):
            self.read(part)

    def _ask(self, node: nodes.MemberExpr) -> None:
        self._refer(node)
        kind = types.get_proper_type(self._known.get(node.expr))
        for info in infos(kind):
            self.mentions.members.add((info.fullname, node.name))
        asked = getattr(node.expr, "node", None)
        if isinstance(asked, nodes.TypeInfo):
            self.mentions.names.add(f"{asked.fullname}.{node.name}")
            self.mentions.members.add((asked.fullname, node.name))
        elif not isinstance(asked, nodes.MypyFile) and (kind is None or isinstance(kind, types.AnyType)):
            self.mentions.unknown.add(node.name)

    def _note(self, node: nodes.Node) -> None:
        match node:
            case nodes.IndexExpr():
                self.mentions.indexed.append(node)
            case nodes.AssignmentStmt():
                for target in node.lvalues:
                    self._assign(target, node.rvalue)
            case nodes.ForStmt():
                self._assign(node.index, node.expr)
            case nodes.GeneratorExpr():
                for target, source in zip(node.indices, node.sequences, strict=True):
                    self._assign(target, source)
            case nodes.ReturnStmt() if node.expr is not None:
                self.mentions.returned.append(node.expr)

    def _assign(self, target: nodes.Expression, value: nodes.Expression) -> None:
        if isinstance(target, nodes.NameExpr):
            self.mentions.assigned[target.name].append(value)
        elif isinstance(target, nodes.MemberExpr) and isinstance(target.expr, nodes.NameExpr):
            self.mentions.assigned[f"{target.expr.name}.{target.name}"].append(value)

    def _refer(self, o: nodes.RefExpr) -> None:
        if isinstance(o.node, nodes.TypeInfo):
            self.mentions.made.add(o.node.fullname)
        elif o.node is not None and o.fullname:
            self.mentions.names.add(o.fullname)
            kind = types.get_proper_type(self._known.get(o))
            if isinstance(kind, types.TypeType) or (isinstance(kind, types.CallableType) and kind.is_type_obj()):
                self.mentions.made.update(info.fullname for info in infos(kind))  # `cls`, or a class in a variable


def infos(kind: types.Type | None) -> Iterator[nodes.TypeInfo]:
    """The classes that an object of this type may be of."""
    proper = types.get_proper_type(kind)
    match proper:
        case types.Instance():
            yield proper.type
        case types.UnionType():
            for item in proper.items:
                yield from infos(item)
        case types.TupleType():
            yield proper.partial_fallback.type
        case types.TypeVarType():
            yield from infos(proper.upper_bound)
        case types.LiteralType():
            yield proper.fallback.type
        case types.TypeType():
            yield from infos(proper.item)
        case types.CallableType() if proper.is_type_obj():
            yield from infos(proper.ret_type)


class Code:
    """The typed code of what is deployed."""

    def __init__(self) -> None:
        built = build.build(_sources(), _options())
        self.types: Mapping[nodes.Expression, types.Type] = built.types
        self.units: dict[str, nodes.Node] = {}
        """Functions and methods, classes, and globals' initial values, by full name."""
        self.classes: dict[str, nodes.TypeInfo] = {}
        self._mentions: dict[str, Mentions] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._fitting: dict[tuple[str, str], bool] = {}
        self.modules = {name: tree for name, tree in built.files.items() if name.partition(".")[0] in ROOMS}
        for name, tree in self.modules.items():
            self._collect(tree.defs, name)

    def mentions(self, unit: str) -> Mentions:
        if unit not in self._mentions:
            reader = _Reader(self.types)
            reader.read(self.units[unit])
            self._mentions[unit] = reader.mentions
        return self._mentions[unit]

    def find_class(self, name: str) -> nodes.TypeInfo | None:
        return self.classes.get(name)

    def members_of(self, name: str) -> frozenset[str]:
        """What objects of the class have by its code and that of its bases."""
        if name not in self._members:
            self._members[name] = frozenset(member for base in self.classes[name].mro for member in base.names)
        return self._members[name]

    def fits(self, candidate: str, wanted: str) -> bool:
        """Whether an object of the one class may stand where the other is asked for; protocols fit by their members."""
        pair = candidate, wanted
        if pair not in self._fitting:
            one, other = self.classes[candidate], self.classes.get(wanted)
            if other is None or not other.is_protocol:
                self._fitting[pair] = any(base.fullname == wanted for base in one.mro)
            else:
                self._fitting[pair] = self._implements(one, other)
        return self._fitting[pair]

    def _implements(self, one: nodes.TypeInfo, protocol: nodes.TypeInfo) -> bool:
        if not self.members_of(one.fullname).issuperset(protocol.protocol_members):
            return False  # the same in a hundredth of the time
        with state.strict_optional_set(value=True):
            return subtypes.is_subtype(
                fill_typevars_with_any(one), fill_typevars_with_any(protocol), ignore_type_params=True
            )

    def _collect(self, statements: Iterable[nodes.Statement], prefix: str) -> None:
        for statement in statements:
            match statement:
                case nodes.FuncDef() | nodes.Decorator() | nodes.OverloadedFuncDef():
                    self.units[f"{prefix}.{statement.name}"] = statement
                case nodes.ClassDef():
                    self.classes[statement.info.fullname] = statement.info
                    body = [each for each in statement.defs.body if not isinstance(each, _OWN_UNITS)]
                    self.units[statement.info.fullname] = nodes.Block(body)
                    self._collect(statement.defs.body, statement.info.fullname)
                case nodes.AssignmentStmt() if not isinstance(statement.rvalue, nodes.TempNode):
                    for target in statement.lvalues:
                        if isinstance(target, nodes.NameExpr):
                            self.units[f"{prefix}.{target.name}"] = statement.rvalue
                case nodes.IfStmt():
                    for block in statement.body:
                        self._collect(block.body, prefix)


_OWN_UNITS = (nodes.FuncDef, nodes.Decorator, nodes.OverloadedFuncDef, nodes.ClassDef)


@dataclass
class Reached:
    """What can be reached from one unit on."""

    code: Code
    start: str
    units: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    """Classes of ours that objects may be made of."""
    because: dict[str, str] = field(default_factory=dict)
    """Which unit a unit was reached from first."""
    _asked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By attribute, the classes whose objects it is asked of."""
    _bearers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By attribute, the classes made that have it."""
    _now: str = ""
    _waiting: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reach(self.start)
        while self._waiting:
            self._now = self._waiting.pop()
            self._follow(self.code.mentions(self._now))

    @cached_property
    def calls(self) -> list[Call]:
        return [Call(call, unit) for unit in sorted(self.units) for call in self.code.mentions(unit).calls]

    def way_to(self, unit: str) -> list[str]:
        """One way from the start to a unit, last first."""
        way = [unit]
        while self.because.get(way[-1]):
            way.append(self.because[way[-1]])
        return way

    def _follow(self, mentions: Mentions) -> None:
        for name in mentions.names:
            self._reach(name)
        for name in mentions.made:
            self._make(name)
        for wanted, attribute in mentions.members:
            if wanted not in self._asked[attribute]:
                self._asked[attribute].add(wanted)
                for made in (wanted, *self._bearers[attribute]):
                    self._answer(made, wanted, attribute)
        for owner, attribute in mentions.inherited:
            info = self.code.find_class(owner)
            for base in info.mro[1:] if info else ():
                if attribute in base.names:
                    self._reach(f"{base.fullname}.{attribute}")
                    break

    def _make(self, name: str) -> None:
        info = self.code.find_class(name)
        if info is None or name in self.made:
            return
        self.made.add(name)
        for base in info.mro:
            self._reach(base.fullname)  # its body
            for member, symbol in base.names.items():
                if _is_called_by_others(member, symbol.node, info):
                    self._reach(f"{base.fullname}.{member}")
        for attribute in self.code.members_of(name):
            self._bearers[attribute].append(name)
            for wanted in self._asked.get(attribute, ()):
                self._answer(name, wanted, attribute)

    def _answer(self, made: str, wanted: str, attribute: str) -> None:
        info = self.code.find_class(made)
        if info is None or not (made == wanted or self.code.fits(made, wanted)):
            return
        for base in info.mro:
            if attribute in base.names:
                self._reach(f"{base.fullname}.{attribute}")
                return

    def _reach(self, name: str) -> None:
        if name in self.code.units and name not in self.units:
            self.units.add(name)
            self.because[name] = self._now
            self._waiting.append(name)


def _is_called_by_others(member: str, found: nodes.SymbolNode | None, info: nodes.TypeInfo) -> bool:
    """Python calls dunder methods, decorators may have methods called, a library calls what overrides its own."""
    if isinstance(found, nodes.Decorator):
        return not found.var.is_property
    if not isinstance(found, nodes.FuncDef):
        return False
    return member.startswith("__") or any(
        member in base.names
        for base in info.mro
        if base.fullname.partition(".")[0] not in ROOMS and base.fullname not in _PLAIN_BASES
    )


def _sources() -> list[BuildSource]:
    found = []
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found.append(BuildSource(str(path), module))
    return found


def _options() -> Options:
    options = Options()
    parse_config_file(options, lambda: None, str(ROOT / "pyproject.toml"), io.StringIO(), io.StringIO())
    options.plugins = []  # pydantic's is not needed, for pydantic is not followed
    options.export_types = options.preserve_asts = True
    options.incremental = False
    options.cache_dir = "/dev/null"
    for library in NOT_FOLLOWED:
        for pattern in (library, f"{library}.*"):
            options.per_module_options[pattern] = {"follow_imports": "skip"}
    options.build_per_module_cache()
    return options
