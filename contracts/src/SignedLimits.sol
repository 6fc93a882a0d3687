// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "./ISaysoRegistry.sol";
import {Revocation} from "./Revocation.sol";

/// @title What no signature may carry (docs/protocol.md, rules 1.1, 2.1, 3.8 and 3.9)
library SignedLimits {
    uint256 private constant MAX_SCOPES = 16;
    uint256 private constant MAX_WORDS = 64;
    uint256 private constant MAX_CHAIN_ID = (1 << 53) - 1;

    /// @dev The error that says what is wrong, encoded; nothing if nothing is. Returned and not
    /// thrown, because in a relay it concerns one item of many.
    function fault(
        uint256 chainId,
        string[] calldata scopes,
        uint256[] calldata words,
        uint256[] calldata masks
    ) internal pure returns (bytes memory) {
        unchecked {
            if (chainId - 1 >= MAX_CHAIN_ID) {
                return abi.encodeWithSelector(ISaysoRegistry.InvalidChainId.selector, chainId);
            }
        }
        if (words.length != masks.length) {
            return _error(ISaysoRegistry.LengthMismatch.selector, words.length, masks.length);
        }
        if (scopes.length > MAX_SCOPES) {
            return _error(ISaysoRegistry.TooMany.selector, scopes.length, MAX_SCOPES);
        }
        if (words.length > MAX_WORDS) {
            return _error(ISaysoRegistry.TooMany.selector, words.length, MAX_WORDS);
        }
        for (uint256 i = 0; i < words.length; i++) {
            if (words[i] >= Revocation.SCOPE_FLAG) {
                return abi.encodeWithSelector(ISaysoRegistry.InvalidWord.selector, words[i]);
            }
        }
        return "";
    }

    function _error(bytes4 selector, uint256 first, uint256 second)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, first, second);
    }
}
