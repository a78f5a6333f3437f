"""What we build on: pinned, hashed, from the index alone, tested in the versions that are deployed, free to use.

`make scan` adds what takes other tools and a network; here is that it cannot pass in silence.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from infra.local.template import load_resolver
from infra.scan import NotLookedAt, code_verdict, deployed, others, requirements_verdict, template_verdict

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = ROOT / "infra" / "lambda" / "requirements.txt"
LOCKS = [DEPLOYED, *others()]

_PIN = re.compile(
    r"([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?==([^\s;]+)(?: ; [^\\]+)?(?: --hash=sha256:[0-9a-f]{64})+"
)


class Pin(NamedTuple):
    name: str
    version: str


def pins(lock: Path) -> Iterator[Pin]:
    """Every line of a lock file must be one package in one version, with hashes, and nothing beside."""
    text = re.sub(r"\s*\\\n\s*", " ", lock.read_text(encoding="utf-8"))
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            found = _PIN.fullmatch(line.strip())
            assert found, f"{lock.name}: {line[:100]}"
            yield Pin(found[1], found[2])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name + "-" + lock.stem)
def test_a_lock_file_names_one_version_of_each_package_with_its_hashes(lock: Path) -> None:
    """No address of an index, no repository, no file: whoever installs it says where packages come from."""
    found = list(pins(lock))
    assert found
    # A package may be there twice where two versions of Python need different ones.
    assert len({(pin.name, pin.version) for pin in found}) == len(found)
    text = lock.read_text(encoding="utf-8")
    assert not [word for word in ("://", "--index-url", "--find-links", "git+", " @ ") if word in text]


def test_what_is_deployed_is_what_is_tested() -> None:
    assert set(pins(DEPLOYED)) <= set(pins(ROOT / "requirements" / "dev.txt"))


def test_every_list_of_wishes_is_locked() -> None:
    wished = {path.stem for path in (ROOT / "requirements").glob("*.in")} - {"lambda"}
    assert wished == {path.stem for path in others()}
    assert DEPLOYED.exists()


ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "PSFL",
        "Unlicense", "Apache License 2.0",
        "License :: OSI Approved :: Apache Software License", "License :: OSI Approved :: BSD License",
    }
)  # fmt: skip
"""Licences under which a package may be deployed beside our Apache-2.0 code. MPL-2.0 asks for the source of its own
files only, and those are deployed as they are."""


def licences(name: str) -> set[str]:
    """As the package states them: as an expression, else in a word, else by its classifiers."""
    stated = metadata(name)
    for expression in stated.get_all("License-Expression") or ():
        return set(re.split(r" (?:OR|AND) ", expression))
    word = "".join(stated.get_all("License") or ()).strip()
    if word and "\n" not in word and word != "Dual License":
        return {word}
    return {entry for entry in stated.get_all("Classifier") or () if entry.startswith("License ::")}


@pytest.mark.parametrize("pin", list(pins(DEPLOYED)), ids=lambda pin: pin.name)
def test_what_is_deployed_may_be(pin: Pin) -> None:
    found = licences(pin.name)
    assert found, pin.name
    assert found <= ALLOWED, pin.name


# ---- what `make scan` tells -------------------------------------------------------------------------------------

MOST_KINDS = 10


def not_followed() -> set[str]:
    return set(yaml.safe_load((ROOT / ".checkov.yaml").read_text(encoding="utf-8"))["skip-check"])


def test_checks_that_are_not_followed_are_few_and_each_has_its_reason() -> None:
    template = load_resolver(ROOT / "template.yaml", {"AlarmEmail": "operations@shop.example"}).template
    skips = [
        skip
        for resource in template["Resources"].values()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", ())
    ]
    assert all(len(skip["comment"]) > 20 for skip in skips)
    assert len(not_followed() | {skip["id"] for skip in skips}) <= MOST_KINDS
    lines = (ROOT / ".checkov.yaml").read_text(encoding="utf-8").splitlines()
    entries = [number for number, line in enumerate(lines) if line.strip().startswith("- CKV")]
    assert len(entries) == len(not_followed())
    assert all(lines[number - 1].strip().startswith("#") for number in entries)


def test_the_template_is_scanned_as_it_is_deployed() -> None:
    """Conditions settled: what stands behind one that does not hold is no resource."""
    plain = deployed(load_resolver(ROOT / "template.yaml"))["Resources"]
    watched = deployed(load_resolver(ROOT / "template.yaml", {"AlarmEmail": "operations@shop.example"}))["Resources"]
    assert "AlarmTopic" in watched.keys() - plain.keys()
    assert not re.search(r"'(?:Fn::\w+|Ref)':", str([found["Properties"] for found in watched.values()]))


CHECKED: Mapping[str, Any] = {
    "summary": {"passed": 400, "failed": 0, "skipped": 3, "parsing_errors": 0},
    "results": {"failed_checks": []},
}


def checked(**summary: int) -> Mapping[str, Any]:
    return {**CHECKED, "summary": {**CHECKED["summary"], **summary}}


def failed(check: str, file: str) -> Mapping[str, Any]:
    entry = {"check_id": check, "check_name": "tables", "resource": "OrdersTable", "file_path": f"/{file}.json"}
    return {**checked(failed=1), "results": {"failed_checks": [entry]}}


def test_a_template_that_nobody_could_read_is_not_clear() -> None:
    assert not template_verdict(CHECKED).findings
    for summary in ({"passed": 0}, {"parsing_errors": 1}):
        with pytest.raises(NotLookedAt):
            template_verdict(checked(**summary))


def test_own_keys_are_asked_for_where_they_are_given_alone() -> None:
    assert not template_verdict(failed("CKV_AWS_119", "managed-keys")).findings
    assert template_verdict(failed("CKV_AWS_119", "own-keys")).findings
    assert template_verdict(failed("CKV_AWS_28", "managed-keys")).findings


def test_advice_that_could_not_be_had_is_not_good_news() -> None:
    """pip-audit leaves a package out that the service does not know, and ends with success."""
    sound = {"name": "idna", "version": "3.10", "vulns": []}
    assert not requirements_verdict("lock", {"dependencies": [sound]}).findings
    for packages in ([], [sound, {"name": "six", "skip_reason": "not found"}]):
        with pytest.raises(NotLookedAt):
            requirements_verdict("lock", {"dependencies": packages})
    weak = {**sound, "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.11"]}]}
    assert requirements_verdict("lock", {"dependencies": [weak]}).findings


def test_code_counts_from_medium_severity_on() -> None:
    def report(severity: str, errors: list[Any]) -> Mapping[str, Any]:
        one = {"test_id": "B1", "issue_text": "x", "filename": "a.py", "line_number": 1, "issue_severity": severity}
        return {"errors": errors, "metrics": {"_totals": {"loc": 9, "SEVERITY.LOW": 1}}, "results": [one]}

    assert not code_verdict(report("LOW", [])).findings
    assert code_verdict(report("MEDIUM", [])).findings
    with pytest.raises(NotLookedAt):
        code_verdict(report("LOW", [{"filename": "a.py", "reason": "syntax"}]))
