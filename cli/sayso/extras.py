"""Optional dependencies, which the base install omits.

with extra("node"):
    from web3 import AsyncWeb3
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sayso.errors import ExtraMissing
from sayso_contracts.start.collector import collector_off

OUR_PACKAGES = ("sayso", "sayso_node", "sayso_contracts", "sayso_protocol")


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Guard imports of packages that the extra `name` installs; raises ExtraMissing."""
    try:
        with collector_off():
            yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OUR_PACKAGES:  # a fault of ours, not a missing extra
            raise
        sentence = f"this needs {package}; install sayso with its extra: pip install '.[{name}]'"
        raise ExtraMissing(sentence) from error
