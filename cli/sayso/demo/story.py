"""The demo's output: a line when a step begins, a line when it ends, and a summary table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from sayso.demo.stage import Step


@dataclass(frozen=True)
class Result:
    """Result is the outcome of a step."""

    step: Step[Any]
    ok: bool
    seconds: float
    sentence: str


class Story:
    """Story prints the progress of the demo on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self, sentence: str) -> None:
        """Print what Sayso is for, and what the demo shows."""
        self._console.print(f"[bold]Sayso[/]: nothing is used without your say-so.\n{sentence}\n")

    def begins(self, number: int, step: Step[Any]) -> None:
        """Print the title of a step."""
        self._console.print(f"[bold]{number}. {step.title}[/]")

    def ends(self, result: Result) -> None:
        """Print the result of a step."""
        mark = "[green]✓[/]" if result.ok else "[red]✗[/]"
        self._console.print(f"   {mark} {result.sentence} [dim]({result.seconds:.1f} s)[/]\n")

    def closing(self, results: list[Result]) -> None:
        """Print a table of all steps, their results and their seconds."""
        table = Table(title="Summary", title_justify="left")
        for heading in ("", "step", "seconds"):
            table.add_column(heading, justify="right" if heading == "seconds" else "left")
        for result in results:
            mark = "[green]✓[/]" if result.ok else "[red]✗[/]"
            table.add_row(mark, result.step.title, f"{result.seconds:.1f}")
        total = sum(result.seconds for result in results)
        table.add_section()
        verdict = "all steps succeeded" if all(one.ok for one in results) else "FAILED"
        table.add_row("", verdict, f"{total:.1f}")
        self._console.print(table)

    def figures(self, lines: Iterable[tuple[str, str]]) -> None:
        """Print what a scenario cost."""
        table = Table(title="What it cost", title_justify="left", show_header=False)
        for line in lines:
            table.add_row(*line)
        self._console.print(table)
