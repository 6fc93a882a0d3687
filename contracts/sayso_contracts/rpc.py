"""Conversion of the errors of chain endpoints into SaysoErrors."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError
from web3.exceptions import ContractLogicError, Web3Exception

from sayso_contracts.errors import CallReverted, RpcFailed
from sayso_contracts.registry.abi import describe_revert
from sayso_protocol.redaction import reason_of, redacted


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
