"""Runner of the steps. A failed step is reported, and stops only the steps that need it.

All processes end before the runner returns, also after Ctrl-C.
"""

import asyncio
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.demo.scenarios.figures import Figures, measure
from sayso.demo.stage import Options, Stage, Step
from sayso.demo.story import Result, Story
from sayso_protocol.errors import SaysoError


@dataclass(frozen=True)
class Play:
    """Play is what a demo shows: its stage, and its steps in order.

    Attributes:
        about: The sentence that it opens with.
        stage: Makes the stage, from a temporary folder and the options.
        steps: The steps, each of which takes that stage.
        is_measured: Whether it ends with what it cost.
    """

    about: str
    stage: Callable[[Path, Options], Stage]
    steps: Sequence[Step[Any]]
    is_measured: bool = True


@dataclass(frozen=True)
class Outcome:
    """Outcome is how a play went: a result for each step, and what it cost."""

    results: list[Result]
    figures: Figures | None

    @property
    def ok(self) -> bool:
        """Return whether every step succeeded."""
        return all(one.ok for one in self.results)


async def run_demo(play: Play, options: Options, story: Story) -> Outcome:
    """Run all steps of a play."""
    task = asyncio.current_task()
    assert task  # noqa: S101 - a coroutine runs in a task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="sayso-demo-") as name:
        stage = play.stage(Path(name), options)
        try:
            results = await _run_steps(play.steps, stage, story)
            measured = play.is_measured and all(one.ok for one in results)
            return Outcome(results, await measure(stage, options.prices) if measured else None)
        finally:
            await asyncio.shield(asyncio.ensure_future(stage.stop()))


async def _run_steps(steps: Sequence[Step[Any]], stage: Stage, story: Story) -> list[Result]:
    results: list[Result] = []
    for number, step in enumerate(steps, 1):
        story.begins(number, step)
        held = {result.step.name for result in results if result.ok}
        begun = time.monotonic()
        ok, sentence = await _run(step, stage, held)
        results.append(Result(step, ok, time.monotonic() - begun, sentence))
        story.ends(results[-1])
    return results


async def _run(step: Step[Any], stage: Stage, held: set[str]) -> tuple[bool, str]:
    if missing := [name for name in step.needs if name not in held]:
        return False, f"skipped, because it needs: {', '.join(missing)}"
    try:
        return True, await step.run(stage)
    except SaysoError as error:
        return False, f"{error.code}: {error}"
