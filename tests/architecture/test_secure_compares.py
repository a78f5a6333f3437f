"""Rules for the source that no linter of ours has: how secrets are compared, errors caught, money made."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for package in ("functions", "shared", "infra")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "lambda" not in path.relative_to(ROOT).parts
]
SECURE = [*ROOT.glob("shared/storefronts/**/signature.py"), ROOT / "shared/webhooks/ingress.py"]
SECURE += sorted((ROOT / "shared/platform").glob("*.py"))
MONEY = [ROOT / "shared/kernel/money.py", *ROOT.glob("shared/**/mapping.py")]

_SECRET_WORDS = ("digest", "signature", "hmac", "secret", "token", "password")
Rule = Callable[[ast.AST], bool]


def compares_secrets(node: ast.AST) -> bool:
    """`==`, `!=` or `in` with a digest, signature or secret on either side: the time it takes tells where they differ.

    Header names and other constants are no secrets, and a set of them may be asked for.
    """
    if not isinstance(node, ast.Compare):
        return False
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        if isinstance(operator, ast.Eq | ast.NotEq) and (_is_secret(left) or _is_secret(right)):
            return True
        if isinstance(operator, ast.In | ast.NotIn) and _is_secret(left):
            return True
    return False


def catches_everything(node: ast.AST) -> bool:
    """A handler of any error, our own mistakes included, that goes on. Noting it and raising it again is allowed."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    last = node.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    if node.type is None:
        return True
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(_name(item) in ("Exception", "BaseException") for item in caught)


def makes_a_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _name(node.func) == "float"
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


@pytest.mark.parametrize("path", SECURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_secrets_are_compared_in_constant_time(path: Path) -> None:
    assert list(breaches(path, compares_secrets)) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_catches_every_error(path: Path) -> None:
    assert list(breaches(path, catches_everything)) == []


@pytest.mark.parametrize("path", MONEY, ids=lambda path: str(path.relative_to(ROOT)))
def test_money_never_passes_through_a_float(path: Path) -> None:
    assert list(breaches(path, makes_a_float)) == []


def test_the_rules_look_at_what_they_mean_to() -> None:
    names = {str(path.relative_to(ROOT)) for path in SECURE}
    assert {"shared/storefronts/shopify/signature.py", "shared/storefronts/woocommerce/signature.py"} <= names
    assert "shared/platform/aws_http.py" in names
    assert len(MONEY) >= 3
    assert sum("compare_digest" in path.read_text(encoding="utf-8") for path in SECURE) == 1


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (compares_secrets, "signature == given"),
        (compares_secrets, "given != hmac.new(key, body, sha256).hexdigest()"),
        (compares_secrets, "hmac.digest(key, body, 'sha256') == given"),
        (compares_secrets, "headers[SIGNATURE_HEADER] == expected"),
        (compares_secrets, "headers.get('x-shopify-hmac-sha256') == expected"),
        (compares_secrets, "self._secret == given"),
        (compares_secrets, "signature in known"),
        (catches_everything, "try:\n    x\nexcept:\n    pass"),
        (catches_everything, "try:\n    x\nexcept Exception:\n    pass"),
        (catches_everything, "try:\n    x\nexcept (ValueError, builtins.BaseException):\n    pass"),
        (catches_everything, "try:\n    x\nexcept Exception as error:\n    raise Retry('code', 'text') from error"),
        (makes_a_float, "float(text)"),
        (makes_a_float, "builtins.float(text)"),
        (makes_a_float, "price * 1.19"),
    ],
)
def test_a_rule_sees_its_breach(rule: Rule, source: str) -> None:
    assert any(map(rule, ast.walk(ast.parse(source))))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (compares_secrets, "hmac.compare_digest(signature, given)"),
        (compares_secrets, "SIGNATURE_HEADER not in request.headers"),
        (compares_secrets, "topic == 'orders/create'"),
        (catches_everything, "try:\n    x\nexcept (ValueError, KeyError):\n    pass"),
        (catches_everything, "try:\n    x\nexcept BaseException:\n    note()\n    raise"),
        (makes_a_float, "Decimal(text) * 2"),
    ],
)
def test_a_rule_lets_the_rest_pass(rule: Rule, source: str) -> None:
    assert not any(map(rule, ast.walk(ast.parse(source))))


def breaches(path: Path, rule: Rule) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (f"line {node.lineno}: {ast.unparse(node)}" for node in _located(tree) if rule(node))


def _located(tree: ast.Module) -> Iterator[ast.expr | ast.excepthandler]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.expr | ast.excepthandler))


def _is_secret(node: ast.expr) -> bool:
    """Whether a name, attribute, key or call in the expression speaks of a secret; a constant's name alone does not."""
    if isinstance(node, ast.Name) and node.id.isupper():
        return False
    words = " ".join(_words(node)).lower()
    return any(word in words for word in _SECRET_WORDS)


def _words(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]
