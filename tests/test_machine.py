"""What a machine lacks is a failure where CI runs, and a skipped test elsewhere."""

from collections.abc import Callable
from unittest import SkipTest

import pytest

from support import machine


@pytest.mark.parametrize("need", [machine.chromium, machine.need_networks])
def test_what_is_lacking_is_never_passed_over(
    need: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="this test needs"):
        need()
    monkeypatch.delenv("CI")
    with pytest.raises(SkipTest, match="needs"):
        need()
