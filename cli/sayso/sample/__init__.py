"""Media to try everything with: voices, calls, photos. Synthetic, so nobody's permission is needed.

`scripts/sample_media` of the repository made the files.
"""

from importlib import resources
from pathlib import Path

from sayso.errors import SampleMissing


def sample_files() -> Path:
    """Directory of the shipped sample files; raises SampleMissing."""
    folder = resources.files(__name__) / "files"
    if not isinstance(folder, Path) or not folder.is_dir():
        raise SampleMissing("the sample files were not unpacked with this installation of sayso")
    return folder
