"""How the demo tells its story: a line when a step begins, one when it ends, a table at the end."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from sayso.demo.steps import Step


@dataclass(frozen=True)
class Result:
    """What became of a step."""

    step: Step
    ok: bool
    seconds: float
    sentence: str


class Story:
    """Tells on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self, folder: str) -> None:
        """Before the first step."""
        self._console.print(
            "[bold]Sayso[/]: nothing is used without your say-so.\n"
            f"A revocation stops a training set, on the files of {folder}.\n"
        )

    def begins(self, number: int, step: Step) -> None:
        """A step begins."""
        self._console.print(f"[bold]{number}. {step.title}[/]")

    def ends(self, result: Result) -> None:
        """A step has ended."""
        mark = "[green]✓[/]" if result.ok else "[red]✗[/]"
        self._console.print(f"   {mark} {result.sentence} [dim]({result.seconds:.1f} s)[/]\n")

    def closing(self, results: list[Result]) -> None:
        """The summary."""
        table = Table(title="Summary", title_justify="left")
        for heading in ("", "step", "seconds"):
            table.add_column(heading, justify="right" if heading == "seconds" else "left")
        for result in results:
            mark = "[green]✓[/]" if result.ok else "[red]✗[/]"
            table.add_row(mark, result.step.title, f"{result.seconds:.1f}")
        total = sum(result.seconds for result in results)
        table.add_section()
        verdict = "all steps held" if all(one.ok for one in results) else "FAILED"
        table.add_row("", verdict, f"{total:.1f}")
        self._console.print(table)
