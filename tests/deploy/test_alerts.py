"""Every alert fires on its fault, and not while all is well, and has a section of the runbook."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.alerts import FIRING, HEALTHY
from docs.markdown import ROOT
from sayso_node.supervision.alarms import NAMES
from support.machine import need

RULES = ROOT / "deploy" / "prometheus" / "sayso.rules.yml"
RUNBOOK = ROOT / "docs" / "how-to" / "operator-alerts.md"
AT = "3h"


def rules() -> dict[str, Any]:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_every_alert_has_a_runbook() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sorted(sections) == sorted(rules())
    for name, rule in rules().items():
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (path, anchor) == (str(RUNBOOK.relative_to(ROOT)), name.lower())


def test_every_alarm_makes_an_alert() -> None:
    """Those that other alerts show earlier, by their own metric, are named here."""
    shown = {"clock-wrong": "SaysoClockWrong", "part-failed": "SaysoPartFailing"}
    patterns = re.findall(r'sayso_alarm\{name=~?"([^"]+)"\}', RULES.read_text())
    alarms = {name for name in NAMES if any(re.fullmatch(one, name) for one in patterns)}
    assert NAMES.keys() - alarms == shown.keys()
    assert {*shown.values()} <= rules().keys()


def case(series: dict[str, str], firing: str | None) -> dict[str, Any]:
    """One test of promtool: these series; this alert, or none, at their end."""
    names = [firing] if firing else rules()
    checked = [{"eval_time": AT, "alertname": name, "exp_alerts": []} for name in names]
    return {
        "interval": "1m",
        "input_series": [{"series": one, "values": value} for one, value in (HEALTHY | series).items()],
        "alert_rule_test": checked,
    }


def run(folder: Path, tests: list[dict[str, Any]]) -> tuple[int, str]:
    path = folder / "test.yml"
    document = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    path.write_text(json.dumps(document))
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def promtool() -> None:
    need("promtool", "prometheus")


@pytest.mark.long
@pytest.mark.usefixtures("promtool")
def test_rules_and_configuration_are_valid() -> None:
    for kind, path in (("rules", RULES), ("config", RULES.with_name("prometheus.yml"))):
        subprocess.run(["promtool", "check", kind, str(path)], check=True, capture_output=True)


@pytest.mark.long
@pytest.mark.usefixtures("promtool")
def test_nothing_fires_while_all_is_well(tmp_path: Path) -> None:
    assert run(tmp_path, [case({}, None)])[0] == 0


@pytest.mark.long
@pytest.mark.usefixtures("promtool")
@pytest.mark.parametrize("name", FIRING)
def test_each_alert_fires(tmp_path: Path, name: str) -> None:
    """promtool is told that it does not, and says that it does, with its labels."""
    for series in FIRING[name]:
        status, said = run(tmp_path, [case(series, name)])
        assert status == 1, series
        assert f"alertname: {name}" in said
        assert re.search(rf'got:\[\s*0:\s*Labels:\{{.*alertname="{name}"', said), said


def test_every_alert_is_made_to_fire() -> None:
    assert sorted(FIRING) == sorted(rules())
