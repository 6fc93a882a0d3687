"""The files to install a node from: each is read by its program, and keeps what it promises."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bare.image import FROM, Image, instructions
from docs.markdown import ROOT
from sayso_node.api.http.bodies import SOURCE_BYTES
from support.machine import need

DEPLOY = ROOT / "deploy"
MOST_EXPOSED = 3.0
MIB = 1_048_576


def said_by(*command: str | Path, **options: Any) -> str:
    """What a command prints; it has to succeed."""
    words = [str(one) for one in command]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        words, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_the_image_is_no_root_and_hadolint_finds_nothing() -> None:
    assert said_by(Path(sys.prefix) / "bin" / "hadolint", DEPLOY / "Dockerfile") == ""
    final = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)


def test_every_container_is_read_only_and_may_do_nothing_else() -> None:
    services = compose()["services"]
    assert services.keys() == {"node", "caddy", "prometheus", "grafana"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        image = service["image"]
        assert ":" in image or "build" in service  # no image without a version
    assert services["node"]["user"] == "10001:10001"
    named = re.findall(r"\./([\w./-]+):/", (DEPLOY / "compose.yaml").read_text())
    assert len(named) > 3
    assert all((DEPLOY / one).exists() for one in named)


def test_what_the_image_copies_is_there_and_is_not_ignored() -> None:
    copied = re.findall(r"^COPY ([^-].*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert "requirements/operator.txt" in names
    kept = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"
    }
    for name in names:
        assert (ROOT / name).exists()
        assert name in kept


def test_proxies_let_in_as_much_as_the_node_takes() -> None:
    assert SOURCE_BYTES == 256 * MIB
    assert "max_size 256MiB" in (DEPLOY / "caddy" / "Caddyfile").read_text()
    assert "client_max_body_size 256m;" in (DEPLOY / "nginx" / "sayso.conf").read_text()


@pytest.mark.long
def test_compose_takes_it() -> None:
    need("docker-compose")
    environment = {"PATH": "/usr/bin:/bin", "SAYSO_DOMAIN": "north.example", "GRAFANA_PASSWORD": "x"}
    said = said_by("docker-compose", "-f", DEPLOY / "compose.yaml", "config", env=environment)
    assert yaml.safe_load(said)["services"].keys() == compose()["services"].keys()
    refused = subprocess.run(
        ["docker-compose", "-f", str(DEPLOY / "compose.yaml"), "config"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0  # no password is a default


@pytest.mark.long
def test_caddy_takes_it() -> None:
    need("caddy")
    path = DEPLOY / "caddy" / "Caddyfile"
    said_by("caddy", "validate", "--config", path, "--adapter", "caddyfile")
    assert said_by("caddy", "fmt", path) == path.read_text()


@pytest.mark.long
def test_the_unit_is_hardened() -> None:
    need("systemd-analyze", "systemd")
    unit = DEPLOY / "systemd" / "sayso.service"
    said = said_by("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    exposed = re.search(r"exposure level for sayso.service: ([\d.]+)", said)
    assert exposed
    assert float(exposed[1]) < MOST_EXPOSED
    users = said_by("systemd-sysusers", "--dry-run", "--root", "/", DEPLOY / "systemd" / "sysusers.conf")
    assert "sayso" in users


def test_every_instruction_of_the_image_is_one_that_is_tried(tmp_path: Path) -> None:
    """`make bare` carries out each of them, and runs what they make (tests/bare/image.py)."""
    steps = instructions((DEPLOY / "Dockerfile").read_text())
    assert [one.rest for one in steps if one.word == "FROM"] == [f"{FROM} AS build", FROM]
    image = Image(tmp_path, {})
    for step in steps:
        if step.word not in {"FROM", "RUN", "COPY"}:  # those need root and a base
            image.carry_out(step)
    assert (image.user, image.volume, image.folder) == (
        "10001:10001",
        "/var/lib/sayso",
        "/var/lib/sayso",
    )
    assert image.entry == ["sayso"]
    assert image.command[:2] == ["node", "run"]
    assert image.health[:2] == ["python", "-c"]
    assert image.environment["PATH"].startswith("/opt/sayso/bin:/usr/local/bin:")
    assert "tests/bare/image.py" in (ROOT / "Makefile").read_text()
