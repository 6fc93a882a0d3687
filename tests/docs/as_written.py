"""A document that is run as it is written: what all of them are tested for."""

from typing import ClassVar

import pytest

from docs.markdown import ROOT
from docs.walkthrough import DEADLINE_S, Step, missing, steps, walk
from support.machine import need


def way(page: str) -> list[Step]:
    """The steps of a document, named from the repository's folder."""
    return steps((ROOT / page).read_text())


@pytest.mark.timeout(DEADLINE_S + 60)
class AsWritten:
    """Runs a document once; for each of them there is a class that names it."""

    page: ClassVar[str]
    tools: ClassVar[tuple[str, ...]] = ()  # what its commands need beside ours

    @pytest.fixture(scope="class")
    @classmethod
    def seen(cls, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
        """What each step wrote, in a folder and a shell of their own."""
        for tool in cls.tools:
            need(tool)
        return walk(way(cls.page), tmp_path_factory.mktemp("walk"))

    def test_every_step_can_be_done_as_written(self, seen: list[str]) -> None:
        assert len(seen) == len(way(self.page)) > 0

    def test_what_is_shown_is_what_is_seen(self, seen: list[str]) -> None:
        shown = [
            (step.shown, said) for step, said in zip(way(self.page), seen, strict=True) if step.shown
        ]
        assert shown
        for block, said in shown:
            assert not missing(block.text, said), f"line {block.line} of {self.page}; seen:\n{said}"
