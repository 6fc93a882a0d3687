"""Runner of the steps. A failed step is reported, and stops only the steps that need it.

All processes end before the runner returns, also after Ctrl-C.
"""

import asyncio
import signal
import tempfile
import time
from pathlib import Path

from sayso.demo.stage import Options, Stage
from sayso.demo.steps import STEPS, Step
from sayso.demo.story import Result, Story
from sayso_protocol.errors import SaysoError


async def run_demo(options: Options, story: Story) -> list[Result]:
    """Run all steps; returns a result for each."""
    task = asyncio.current_task()
    assert task  # noqa: S101 - a coroutine runs in a task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="sayso-demo-") as name:
        stage = Stage(Path(name), options)
        try:
            return await _run_steps(stage, story)
        finally:
            await asyncio.shield(asyncio.ensure_future(stage.stop()))


async def _run_steps(stage: Stage, story: Story) -> list[Result]:
    results: list[Result] = []
    for number, step in enumerate(STEPS, 1):
        story.begins(number, step)
        held = {result.step.name for result in results if result.ok}
        begun = time.monotonic()
        ok, sentence = await _run(step, stage, held)
        results.append(Result(step, ok, time.monotonic() - begun, sentence))
        story.ends(results[-1])
    return results


async def _run(step: Step, stage: Stage, held: set[str]) -> tuple[bool, str]:
    if missing := [name for name in step.needs if name not in held]:
        return False, f"skipped, because it needs: {', '.join(missing)}"
    try:
        return True, await step.run(stage)
    except SaysoError as error:
        return False, f"{error.code}: {error}"
