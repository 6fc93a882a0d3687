"""`python -X dev refused_starts.py FOLDER...`: start a node in each folder, one after the other.

Prints the code of each refusal. Whatever a refused start leaves open is collected before the next one,
and then warned of on standard error.
"""

import gc
import sys
from pathlib import Path

from sayso_node.app import run_node
from sayso_node.folder.config import load_config
from sayso_protocol.errors import SaysoError


def main(folders: list[str]) -> None:
    """Start nodes that are expected not to start."""
    for folder in folders:
        try:
            run_node(load_config(Path(folder)), lambda: None)
        except SaysoError as error:
            sys.stdout.write(f"{error.code}\n")
        gc.collect()


if __name__ == "__main__":
    main(sys.argv[1:])
