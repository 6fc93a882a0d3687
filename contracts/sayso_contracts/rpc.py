"""What chain endpoints say: their numbers, and their errors as SaysoErrors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import ClientError
from web3.exceptions import ContractLogicError, Web3Exception

from sayso_contracts.errors import CallReverted, RpcFailed
from sayso_contracts.registry.abi import describe_revert
from sayso_protocol.redaction import reason_of, redacted

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,1024}", re.ASCII)


def quantity_from_text(text: object) -> int:
    """Read a number of Ethereum's JSON-RPC: 0x and hexadecimal digits; raises ValueError.

    Leading zeros, which some endpoints write, are allowed. Digits without 0x may be decimal.
    """
    if not isinstance(text, str) or not _QUANTITY.fullmatch(text):
        raise ValueError(f"a number such as 0x1f expected, not {str(text)[:40]!r}")
    return int(text, 16)


@contextmanager
def rpc_errors() -> Iterator[None]:
    """Turn web3's errors into CallReverted and RpcFailed."""
    try:
        yield
    except ContractLogicError as error:
        raise CallReverted(_reason(error)) from error
    except (Web3Exception, ClientError, OSError, TimeoutError) as error:
        raise RpcFailed(
            f"the chain endpoint failed: {redacted(reason_of(error))}"
        ) from None  # it may name the URL


def _reason(error: ContractLogicError) -> str:
    data = error.data
    if isinstance(data, str) and data.startswith("0x"):
        return describe_revert(bytes.fromhex(data[2:]))
    return error.message or "reverted without a reason"
