"""The how-to for buyers is run as it is written: its commands in a shell, its Python as it stands."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cli.adapters.test_engines import needed
from cli.conftest import World, node, world  # noqa: F401 - fixtures
from cli.gate.conftest import Buyer
from docs import walkthrough
from docs.markdown import ROOT, blocks
from docs.walkthrough import missing
from sayso import Gate

HOW_TO = (ROOT / "docs" / "how-to" / "check-a-dataset.md").read_text()
PYTHON = {one.info.split()[2]: one.text for one in blocks(HOW_TO) if one.info.startswith("python run ")}
LONG = ("torch", "ray", "pyspark")


@pytest.fixture
def place(world: World) -> Buyer:  # noqa: F811
    """What the how-to begins with: a network file, a manifest with a revoked row, a snapshot."""
    buyer = Buyer(world)
    buyer.revoke()
    pq.write_table(buyer.table().drop_columns(["embedding"]), "data.parquet")
    buyer.snapshot()
    return buyer


def test_every_command_can_be_typed_as_written(place: Buyer) -> None:
    way = walkthrough.steps(HOW_TO)
    assert len(way) == HOW_TO.count("```sh run") >= 5
    seen = walkthrough.walk(way, place.folder)
    for step, output in zip(way, seen, strict=True):
        if step.shown:
            assert not missing(step.shown.text, output), f"line {step.shown.line}; seen:\n{output}"
    left = place.world.left()
    assert left >= {"kept.parquet", "offline.parquet", "why.jsonl", "receipt.json", "report.html"}
    report = (place.folder / "report.html").read_text()
    assert "http" not in report.replace("http-equiv", "").replace("http://127.0.0.1", "")


TRAIN = """
import os, pyarrow.parquet as pq
print(len(pq.read_table(os.environ["DATA"])), file=open("trained", "w"))
"""


@pytest.mark.parametrize(("url", "status"), [(None, 0), ("http://127.0.0.1:1", 1)])
def test_the_hook_starts_a_trainer_on_clear_rows_only(
    place: Buyer, url: str | None, status: int
) -> None:
    """As the workflow calls it; where nobody answers nothing is started. A run is one."""
    (hook,) = [one.text for one in blocks(HOW_TO) if "cat > gated" in one.text]
    (workflow,) = [one.text for one in blocks(HOW_TO) if one.info == "yaml"]
    (command,) = re.findall(r"run: (.*)", workflow)
    place.world.write("train.py", TRAIN.encode())
    script = f"{hook.partition('RUN_ID=')[0]}export RUN_ID=7\n{command}\n"
    place.world.write("script", script.encode())
    run = ["bash", "-e", "script"]
    environment = walkthrough.environment() | ({"SAYSO_NODE": url} if url else {})
    for again in (False, True):
        done = subprocess.run(run, check=False, env=environment, capture_output=True, text=True)
        assert done.returncode == (1 if again else status), done.stderr
    assert "File exists" in done.stderr
    if status:
        assert not Path("trained").exists()
        assert not list(Path("runs/7").iterdir())
        return
    assert Path("trained").read_text() == "3\n"
    files = {"data.parquet", "why.jsonl", "receipt.json", "report.html", "sayso.xml"}
    assert {one.name for one in Path("runs/7").iterdir()} == files


def test_the_engines_are_all_there() -> None:
    assert set(PYTHON) == {"gate", "polars", "duckdb", "datasets", *LONG}


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.long] if one in LONG else []) for one in PYTHON]
)
def test_every_block_of_python_runs_as_written(
    place: Buyer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    names: dict[str, Any] = {"pq": pq, "Path": Path}
    with Gate("anyone", "train-ai", network="network.toml") as gate:
        for given in _given(name):
            names |= given | {"gate": gate}
            exec(compile(PYTHON[name], f"check-a-dataset.md, {name}", "exec"), names)


def _given(name: str) -> Iterator[dict[str, Any]]:
    """What a reader who uses the engine has at hand."""
    if name == "polars":
        yield {"pl": needed("polars")}
    elif name == "duckdb":
        yield {"connection": needed("duckdb").connect()}
    elif name in {"datasets", "torch"}:
        yield {name: needed(name)}
    elif name == "ray":
        yield from _ray()
    elif name == "pyspark":
        yield from _spark()
    else:
        yield {}


def _ray() -> Iterator[dict[str, Any]]:
    ray = needed("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        yield {"ray": ray}
    finally:
        ray.shutdown()


def _spark() -> Iterator[dict[str, Any]]:
    needed("pyspark")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    with suppress(GeneratorExit):
        yield {"spark": spark}
    spark.stop()
