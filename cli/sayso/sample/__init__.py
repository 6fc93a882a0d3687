"""Synthetic sample media: voices, calls and pictures. They show nobody and need no permission.

`scripts/sample_media` of the repository creates the files.
"""

from importlib import resources
from pathlib import Path

from sayso.errors import SampleMissing


def sample_files() -> Path:
    """Return the folder of the sample files; raises SampleMissing."""
    folder = resources.files(__name__) / "files"
    if not isinstance(folder, Path) or not folder.is_dir():
        raise SampleMissing("this installation of sayso has no sample files")
    return folder
