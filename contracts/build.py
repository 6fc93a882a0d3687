"""Compiles the registry and keeps sayso_contracts/registry/registry.json equal to what the sources give.

The package ships ABI and bytecode, so that nobody needs a compiler to use it; `--check` proves that
they are what src/ compiles to. `python contracts/build.py [--check] [--test]`
"""

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "package-lock.json"
INSTALLED = HERE / "node_modules" / ".package-lock.json"  # npm writes it last
# From the binary's own package: the launcher in @foundry-rs/forge answers 0 whatever forge does.
FORGE = HERE / "node_modules" / ".bin" / "forge"
COMPILED = HERE / "out" / "SaysoRegistry.sol" / "SaysoRegistry.json"
PROBE = HERE / "out" / "WalletProbe.sol" / "WalletProbe.json"
DEPLOYER = HERE / "out" / "WalletDeployer.sol" / "WalletDeployer.json"
SHIPPED = HERE / "sayso_contracts" / "registry" / "registry.json"


def run(*command: str | Path) -> None:
    """Run a tool in contracts/, its output shown; raises CalledProcessError when it fails."""
    subprocess.run(command, cwd=HERE, check=True)  # noqa: S603 (our own pinned tools)


def install() -> None:
    """Install the pinned toolchain unless it is there already."""
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        run("npm", "ci")
    if not FORGE.exists():
        sys.exit(f"package.json pins no forge for {platform.system()} on {platform.machine()}")


def compile_registry() -> str:
    """Compile and return the text of registry.json: the registry, and what reaches wallets."""
    run(FORGE, "build", "--quiet")
    compiled = json.loads(COMPILED.read_text())
    artifact = {
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"]["object"],
        "runtimeBytecode": compiled["deployedBytecode"]["object"],
        "walletProbe": json.loads(PROBE.read_text())["bytecode"]["object"],
        "walletDeployer": json.loads(DEPLOYER.read_text())["bytecode"]["object"],
    }
    return json.dumps(artifact, indent=1) + "\n"


def write(text: str) -> None:
    """Put `text` in place at once, never half of it."""
    half = SHIPPED.with_suffix(".part")
    half.write_text(text)
    half.replace(SHIPPED)


def main() -> int:
    """Build or check; 1 when the shipped artifact is not what the sources compile to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--test", action="store_true", help="also run the Solidity tests")
    options = parser.parse_args()
    install()
    text = compile_registry()
    if not options.check:
        write(text)
    elif not SHIPPED.exists() or SHIPPED.read_text() != text:
        sys.stderr.write(f"{SHIPPED.name} is not what src/ compiles to: run contracts/build.py\n")
        return 1
    if options.test:
        run(FORGE, "test")
    return 0


if __name__ == "__main__":
    sys.exit(main())
