// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ISaysoRegistry} from "./ISaysoRegistry.sol";

/// @title Whether an account signed a digest
/// @dev ECDSA before ERC-1271, also for accounts with code: an EOA that delegated its code under
/// EIP-7702 keeps its key, and must not lose gasless revocation to a delegate without ERC-1271.
library WalletSignature {
    /// @dev Gas that a contract wallet gets for its answer: a passkey's curve in Solidity needs 440,000.
    uint256 internal constant ERC1271_GAS = 600_000;

    /// @dev A wallet that does not accept and used this much may have lacked gas. Not all of it, because
    /// what a wallet calls gets 63/64 of what is left (EIP-150), and this allows for four such calls, one
    /// inside the other, whose callers survive and answer no.
    uint256 private constant RAN_OUT_GAS = ERC1271_GAS * 15 / 16;

    /// @dev What must be left before the question for the wallet to get that much: a call passes on
    /// 63/64 (EIP-150), after at most 2,700 for reaching the account and its delegate (EIP-7702).
    uint256 internal constant ERC1271_GAS_NEEDED = ERC1271_GAS * 64 / 63 + 5_000;

    /// @dev The error that says why `account` did not sign `digest`, InvalidSignature or WalletRanOut; zero
    /// if it did. Reverts with TooLittleGas when it could not be asked.
    function fault(address account, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bytes4)
    {
        // The third value only tells more about a failure.
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return 0;
        if (account.code.length == 0) return ISaysoRegistry.InvalidSignature.selector;
        return walletFault(account, abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
    }

    /// @dev The same of a wallet, by its answer to `question`, a call of its ERC-1271 method. A wallet that
    /// the caller starved must not look like one that refuses, hence TooLittleGas; whoever ran out of
    /// its own has not refused either. Assembly, because only 32 bytes of the answer may be copied,
    /// however much the wallet returns.
    function walletFault(address wallet, bytes memory question) internal view returns (bytes4) {
        uint256 given = gasleft();
        if (given < ERC1271_GAS_NEEDED) {
            revert ISaysoRegistry.TooLittleGas(given, ERC1271_GAS_NEEDED);
        }
        bool answered;
        bytes32 answer;
        uint256 used;
        assembly ("memory-safe") {
            let before := gas()
            answered := staticcall(ERC1271_GAS, wallet, add(question, 32), mload(question), 0, 32)
            used := sub(before, gas())
            answered := and(answered, gt(returndatasize(), 31))
            answer := mload(0)
        }
        if (answered && answer == bytes32(IERC1271.isValidSignature.selector)) return 0;
        return used < RAN_OUT_GAS
            ? ISaysoRegistry.InvalidSignature.selector
            : ISaysoRegistry.WalletRanOut.selector;
    }
}
