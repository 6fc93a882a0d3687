// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ISaysoRegistry} from "./ISaysoRegistry.sol";
import {WalletSignature} from "./WalletSignature.sol";

/// @title Asks a contract wallet whether it signed
/// @dev Never deployed. A node has it created by eth_call, with the question as the constructor's
/// arguments, and gets one word back where the contract's code would be. Nothing that happens stays.
/// A wallet that does not exist yet is deployed first, by the factory it names (ERC-6492).
contract WalletProbe {
    uint256 private constant ACCEPTED = 1;
    uint256 private constant REFUSED = 2;
    uint256 private constant NO_WALLET = 3;
    uint256 private constant TOO_LITTLE_GAS = 4;
    uint256 private constant RAN_OUT = 5;

    /// @dev Gas that a factory gets.
    uint256 private constant FACTORY_GAS = 2_000_000;

    /// @dev A call passes on 63/64 of what is left (EIP-150), after reaching the account.
    uint256 private constant FACTORY_GAS_NEEDED = FACTORY_GAS * 64 / 63 + 5_000;

    constructor(
        address wallet,
        bytes32 digest,
        address factory,
        bytes memory deployment,
        bytes memory signature
    ) {
        uint256 answer = _answer(wallet, digest, factory, deployment, signature);
        assembly ("memory-safe") {
            mstore(0, answer)
            return(0, 32)
        }
    }

    function _answer(
        address wallet,
        bytes32 digest,
        address factory,
        bytes memory deployment,
        bytes memory signature
    ) private returns (uint256) {
        if (wallet.code.length == 0 && factory != address(0)) {
            if (gasleft() < FACTORY_GAS_NEEDED) return TOO_LITTLE_GAS;
            assembly ("memory-safe") {
                pop(call(FACTORY_GAS, factory, 0, add(deployment, 32), mload(deployment), 0, 0))
            }
        }
        if (wallet.code.length == 0) return NO_WALLET;
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        if (gasleft() < WalletSignature.ERC1271_GAS_NEEDED) return TOO_LITTLE_GAS;
        // As the registry asks, so that who may sign for a node may also be relayed.
        bytes4 fault = WalletSignature.walletFault(wallet, question);
        if (fault == ISaysoRegistry.WalletRanOut.selector) return RAN_OUT;
        return fault == 0 ? ACCEPTED : REFUSED;
    }
}
