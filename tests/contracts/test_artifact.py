"""What the package ships is what the sources compile to, and the check of it can fail."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sayso_contracts.registry import artifact

CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("contracts_build", CONTRACTS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["build.py", "--check"])
    return module


def test_the_shipped_artifact_is_what_the_sources_compile_to(build: ModuleType) -> None:
    assert build.main() == 0


def test_another_artifact_is_noticed_and_left_alone(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = json.loads(build.SHIPPED.read_text())
    other["runtimeBytecode"] = other["runtimeBytecode"][:-2] + "00"
    shipped = tmp_path / "registry.json"
    shipped.write_text(json.dumps(other, indent=1) + "\n")
    monkeypatch.setattr(build, "SHIPPED", shipped)
    assert build.main() == 1
    assert json.loads(shipped.read_text()) == other


def test_what_does_not_compile_or_fails_its_tests_is_an_error(build: ModuleType) -> None:
    for command in (("build", "no/such/file.sol"), ("test", "--match-test", "[")):
        with pytest.raises(subprocess.CalledProcessError):
            build.run(build.FORGE, *command)


def test_a_build_replaces_the_artifact(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = tmp_path / "registry.json"
    right = build.SHIPPED.read_text()
    monkeypatch.setattr(build, "SHIPPED", shipped)
    monkeypatch.setattr(sys, "argv", ["build.py"])
    assert build.main() == 0
    assert shipped.read_text() == right
    assert list(tmp_path.iterdir()) == [shipped]


def test_the_contract_has_no_owner_pause_or_money() -> None:
    functions = {entry["name"]: entry for entry in artifact.abi() if entry["type"] == "function"}
    assert sorted(functions) == [
        "anchor",
        "anchorMany",
        "anchorOf",
        "endorse",
        "endorsementOf",
        "relay",
        "revoke",
        "revokeBySig",
        "revokeMany",
        "revokeScopes",
        "revokedWords",
    ]
    assert all(entry["stateMutability"] != "payable" for entry in functions.values())
    assert not {"constructor", "fallback", "receive"} & {entry["type"] for entry in artifact.abi()}


def test_the_runtime_is_part_of_what_creates_it() -> None:
    assert artifact.runtime_code() in artifact.creation_code()
