"""What the endings of a file's name say about its format and compression.

Inputs are read by their endings. An output whose name says another format than it has would be misread
by whoever believes the name, so it is refused.
"""

from pathlib import Path
from typing import Final, NamedTuple

from sayso.errors import OtherFormat

PACKED: Final = frozenset({"gz", "zst", "xz", "bz2"})
DELIMITERS: Final = {"csv": ",", "tsv": "\t", "psv": "|"}
_FORMATS: Final = {
    ".parquet": "parquet",
    ".pq": "parquet",
    **dict.fromkeys((".arrow", ".arrows", ".feather", ".ipc"), "arrow"),
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".psv": "psv",
    ".tar": "tar",
}
_PACKED_TARS: Final = {
    ".tgz": "gz",
    ".taz": "gz",
    ".txz": "xz",
    ".tbz": "bz2",
    ".tbz2": "bz2",
    ".tzst": "zst",
}


class Form(NamedTuple):
    """Form is a format and a compression, which is empty for none; None stands for what is not known."""

    format: str | None
    packing: str | None

    def __str__(self) -> str:
        return f"{self.format} in {self.packing}" if self.packing else str(self.format)


JSON_LINES: Final = Form("jsonl", "")


def form_said(path: Path) -> Form:
    """Return what a file's name says, in any case of letters."""
    last, before = [*(one.lower() for one in reversed(path.suffixes)), "", ""][:2]
    if last in _PACKED_TARS:
        return Form("tar", _PACKED_TARS[last])
    if last[1:] in PACKED:
        return Form({**_FORMATS, ".json": "jsonl"}.get(before), last[1:])
    return Form(_FORMATS[last], "") if last in _FORMATS else Form(None, None)


def refuse_other(path: Path, form: Form, source: Path | None = None) -> None:
    """Raise OtherFormat if the name of an output says another form than it has.

    Args:
        path: The output.
        form: What it has; None matches everything.
        source: The input of the same form, whose name may say the same.
    """
    said = form_said(path)
    pairs = zip(said, form, strict=True)
    if any(None not in pair and pair[0] != pair[1] for pair in pairs) and (
        source is None or said != form_said(source)
    ):
        raise OtherFormat(f"the name {str(path)!r} says {said}, and the file would hold {form}")
