"""What SAM packs: the functions, what they share, and the pinned packages. Nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD_ROOT = ROOT / "infra" / "lambda"
HASHES = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def test_the_build_root_holds_two_links_and_the_requirements() -> None:
    assert sorted(path.name for path in BUILD_ROOT.iterdir()) == ["functions", "requirements.txt", "shared"]
    for name in ("functions", "shared"):
        assert (BUILD_ROOT / name).is_symlink()
        assert (BUILD_ROOT / name).readlink() == Path("../..") / name
        assert (BUILD_ROOT / name / "__init__.py").exists()


def test_every_package_is_pinned_with_its_hashes() -> None:
    text = (BUILD_ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) >= 5
    for line in lines:
        assert re.match(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z,]+\])?==\S+", line), line
        assert HASHES.search(line), line


def test_each_function_has_a_handler_that_the_template_names() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"Handler: functions\.(\w+)\.handler\.lambda_handler", template))
    written = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    assert named == written
