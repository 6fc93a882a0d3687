"""Write every file of the catalogue: `python -m sample_media [FOLDER]`."""

import sys
from pathlib import Path

from sample_media.catalogue import CATALOGUE
from sayso.sample import sample_files


def main() -> None:
    """Write the files below the given folder, by default the folder of the package."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else sample_files()
    for name, file in CATALOGUE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file.write(path)


if __name__ == "__main__":
    main()
