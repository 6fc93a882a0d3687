"""The maps are true: what they name exists, and what exists is on them."""

import inspect
import re
import subprocess
from pathlib import PurePosixPath

from docs.markdown import ROOT, blocks, documents
from sayso_node import node
from sayso_node.chain import side
from sayso_node.serving import http_api
from support.tracked import tracked

EXPLANATION = ROOT / "docs" / "explanation"
ROOTS = ("protocol", "contracts", "node", "cli", "tests", "docs")
# Folders of data, named by the folder they are in.
DATA = ("cli/sayso/sample/files",)
# Folders of tests for a part, named by the folder they are in.
TESTS = ("tests/node/", "tests/cli/", "tests/protocol/")


def tree() -> set[str]:
    """The paths that structure.md names."""
    text = (EXPLANATION / "structure.md").read_text()
    drawn = next(blocks(text)).text
    named: set[str] = set()
    stack: list[str] = []
    for line in drawn.splitlines()[1:]:
        match = re.fullmatch(r"((?:│   |    )*)[├└]── (\S+)(?: +(\S.*))?", line)
        assert match, line
        assert match[3], f"{line}: what is it?"
        depth = len(match[1]) // 4
        stack[depth:] = [match[2].rstrip("/")]
        path = "/".join(stack)
        assert (ROOT / path).is_dir() == match[2].endswith("/"), line
        named.add(path)
    return named


def folders() -> set[str]:
    """Every folder of the repository that holds a file, and the folders they are in."""
    parents = {parent for name in tracked() for parent in PurePosixPath(name).parents}
    return {str(path) for path in parents if (ROOT / path).is_dir()} - {"."}


def test_what_the_tree_names_exists() -> None:
    assert [path for path in tree() if not (ROOT / path).exists()] == []


def test_every_folder_is_in_the_tree() -> None:
    expected = {path for path in folders() if not path.startswith((*DATA, *TESTS))}
    assert {"node/sayso_node/store", "tests/support", "docs/adr"} <= expected
    assert sorted(expected - tree()) == []


def test_every_package_is_in_the_tree() -> None:
    packages = {
        str(path.parent.relative_to(ROOT))
        for root in ROOTS[:4]
        for path in (ROOT / root).rglob("__init__.py")
        if "node_modules" not in path.parts
    }
    assert "node/sayso_node/gossip" in packages
    assert sorted(packages - tree()) == []


def test_the_picture_names_parts_as_the_wiring_does() -> None:
    text = (EXPLANATION / "architecture.md").read_text()
    picture = next(block.text for block in blocks(text) if block.info == "mermaid")
    drawn = set(
        re.findall(
            r"\b[A-Z][a-z]+(?:[A-Z0-9][a-z0-9]*)*\b", re.sub(r"-- .*? -->|\(\[.*?\]\)", "", picture)
        )
    )
    assert {"Intake", "Store", "Follower"} <= drawn
    wired = (node, side, http_api)
    assert sorted(part for part in drawn if not any(hasattr(one, part) for one in wired)) == []


def test_every_part_of_the_wiring_is_on_the_page() -> None:
    text = (EXPLANATION / "architecture.md").read_text()
    api = http_api.HttpApi
    made_by = (node.Node.__init__, api.__init__, api._make, api._parts, side.ChainSide)
    wiring = "".join(inspect.getsource(one) for one in made_by)
    made = set(re.findall(r"(?:=|return|and) ([A-Z]\w+)\(", wiring))
    assert {"Intake", "Judge"} <= made
    assert sorted(part for part in made if part not in text) == []


def test_every_part_of_the_table_is_in_its_file() -> None:
    text = (EXPLANATION / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `(\S+)` \|$", text, re.MULTILINE)
    assert len(rows) > 15
    package = ROOT / "node" / "sayso_node"
    assert [part for part, name in rows if f"class {part}" not in (package / name).read_text()] == []


def test_make_targets_that_documents_name_exist() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = {line.split()[0] for line in listed.splitlines() if line.strip()}
    named = {
        target
        for path in documents()
        for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", path.read_text(), re.MULTILINE)
    }
    assert {"demo", "test", "dev", "lint", "ci"} <= named
    assert sorted(named - targets - {"help"}) == []
