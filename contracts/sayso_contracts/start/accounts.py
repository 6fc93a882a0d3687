"""Imports eth_account in half the time: BLS keys of validators are left out until somebody uses one.

eth_account imports eth_keyfile, which imports two curves of py_ecc for keystores of validators
(EIP-2335). No person and no node has such a key, and the curves are written in Python: they take as long
to import as all else of eth_account. A process calls `postpone_bls` before it imports eth_account; the
curves are imported when more of them is used than is here. A program that imports ours as a library is
left alone.
"""

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final

# The order of the group of BLS12-381: `r` in draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1.
ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_BLS, _CURVE = "py_ecc.bls", "py_ecc.bls12_381"


def postpone_bls() -> None:
    """Let `import eth_account` go on without py_ecc's BLS; does nothing once either was imported."""
    if not {_BLS, _CURVE, "py_ecc"} & sys.modules.keys():
        sys.modules[_BLS] = _Postponed(_BLS, {"G2ProofOfPossession": _Signatures()})
        sys.modules[_CURVE] = _Postponed(_CURVE, {"curve_order": ORDER})


def _real(name: str) -> ModuleType:
    """Import a module for which a stand-in was registered; modules inside it may be there already."""
    if isinstance(sys.modules.get(name), _Postponed):
        del sys.modules[name]
    module = import_module(name)
    for child, found in list(sys.modules.items()):
        if child.rpartition(".")[0] == name and not hasattr(module, child.rpartition(".")[2]):
            setattr(module, child.rpartition(".")[2], found)
    return module


class _Postponed(ModuleType):
    """_Postponed is a package that is imported when anything but the known names is asked of it."""

    def __init__(self, name: str, known: dict[str, object]) -> None:
        super().__init__(name)
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # where the import system finds modules inside it
            found = PathFinder.find_spec("py_ecc")
            return [f"{place}/{self.__name__.rpartition('.')[2]}" for place in _places(found)]
        if name.startswith("__"):  # what the import system asks of every module
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


def _places(found: ModuleSpec | None) -> list[str]:
    return list((found and found.submodule_search_locations) or ())


class _Signatures:
    """_Signatures stands for py_ecc's BLS signatures, imported with the first of them."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_real(_BLS).G2ProofOfPossession, name)
