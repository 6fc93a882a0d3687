// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ISaysoRegistry} from "./ISaysoRegistry.sol";

/// @title Whether an account signed a digest
/// @dev ECDSA before ERC-1271, also for accounts with code: an EOA that delegated its code under
/// EIP-7702 keeps its key, and must not lose gasless revocation to a delegate without ERC-1271.
library WalletSignature {
    /// @dev Gas that a contract wallet gets for its answer.
    uint256 internal constant ERC1271_GAS = 150_000;

    /// @dev What must be left before the question for the wallet to get that much: a call passes on
    /// 63/64 (EIP-150), after at most 2,700 for reaching the account and its delegate (EIP-7702).
    uint256 internal constant ERC1271_GAS_NEEDED = ERC1271_GAS * 64 / 63 + 5_000;

    /// @dev Whether `account` signed `digest`; reverts with TooLittleGas when it could not be asked.
    function accepts(address account, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        // The third value only tells more about a failure.
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return true;
        return account.code.length != 0 && _walletAccepts(account, digest, signature);
    }

    /// @dev A starved wallet must not look like a wrong signature, hence TooLittleGas. Assembly,
    /// because only 32 bytes of the answer may be copied, however much the wallet returns.
    function _walletAccepts(address wallet, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool)
    {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        uint256 given = gasleft();
        if (given < ERC1271_GAS_NEEDED) {
            revert ISaysoRegistry.TooLittleGas(given, ERC1271_GAS_NEEDED);
        }
        bool answered;
        bytes32 answer;
        assembly ("memory-safe") {
            answered := staticcall(ERC1271_GAS, wallet, add(question, 32), mload(question), 0, 32)
            answered := and(answered, gt(returndatasize(), 31))
            answer := mload(0)
        }
        return answered && answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
