"""`python -m sayso_node [--api-only] FOLDER` runs a node that ends when its standard input closes.

It is for programs that run nodes as child processes: a node never outlives its parent. People use
`sayso node run`.
"""

import sys
from pathlib import Path

from sayso_contracts.start.accounts import postpone_bls
from sayso_contracts.start.collector import collector_off

postpone_bls()  # before anything imports eth_account
with collector_off():
    from sayso_node.app import run_node
    from sayso_node.folder.config import load_config
    from sayso_node.supervision.logs import set_up_log
    from sayso_protocol.errors import SaysoError

USAGE = 2


def main(arguments: list[str]) -> int:
    """Run the node until a signal arrives or standard input closes."""
    api_only = arguments[:1] == ["--api-only"]
    if api_only:
        arguments = arguments[1:]
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sayso_node [--api-only] FOLDER\n")
        return USAGE
    set_up_log(verbose=False)
    try:
        config = load_config(Path(arguments[0]))
        run_node(config, lambda: None, end_with=sys.stdin.fileno(), api_only=api_only)
    except SaysoError as error:
        sys.stderr.write(f"error [{error.code}]: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
