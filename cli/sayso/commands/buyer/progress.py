"""The progress of a check: a bar on a terminal, and lines of a log elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

LINE_S: Final = 10.0  # between two lines of progress in a log


class _Rate(TextColumn):
    """A progress column that shows the units done per second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Any) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {task.fields['unit']}/s" if speed else "")


class Lines:
    """Lines tells the progress in lines of a log, at most one in LINE_S, where there is no terminal."""

    def __init__(self, clock: Callable[[], float], *, quiet: bool) -> None:
        self._clock, self._quiet = clock, quiet
        self._total, self._done, self._unit, self._last = 0, 0, "", clock()

    @property
    def functions(self) -> tuple[Callable[[int, str], object], Callable[[int], object]]:
        """Return the functions that set the total and advance."""
        return self._begin, self._advance

    def _begin(self, total: int, unit: str) -> None:
        self._total, self._unit = total, unit

    def _advance(self, done: int) -> None:
        self._done += done
        if not self._quiet and self._clock() - self._last >= LINE_S:
            self._last = self._clock()
            of = f" of {self._total:,}" if self._total else ""
            click.echo(f"checked {self._done:,}{of} {self._unit}", err=True)


@contextmanager
def progress(*, quiet: bool) -> Iterator[tuple[Callable[[int, str], object], Callable[[int], object]]]:
    """Show a bar on a terminal, and lines elsewhere; yields functions that set the total and advance."""
    columns = (
        SpinnerColumn(),
        TextColumn("Checking {task.percentage:>3.0f} %"),
        _Rate(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Lines(time.monotonic, quiet=quiet).functions
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("check", total=None, unit="")

        def begun(total: int, unit: str) -> None:
            bar.update(task, total=total or None, unit=unit)

        yield begun, lambda done: bar.advance(task, done)
