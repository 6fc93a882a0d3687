"""`python -m sayso_node FOLDER` runs a node that ends when its standard input closes.

It is for programs that run nodes as child processes: a node never outlives its parent. People use
`sayso node run`.
"""

import sys
from pathlib import Path

from sayso_node.app import run_node
from sayso_node.folder.config import load_config
from sayso_node.supervision.logs import set_up_log
from sayso_protocol.errors import SaysoError

USAGE = 2


def main(arguments: list[str]) -> int:
    """Run the node until a signal arrives or standard input closes."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sayso_node FOLDER\n")
        return USAGE
    set_up_log(verbose=False)
    try:
        run_node(load_config(Path(arguments[0])), lambda: None, end_with=sys.stdin.fileno())
    except SaysoError as error:
        sys.stderr.write(f"error [{error.code}]: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
