// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @dev Accepts one digest, whatever the signature says.
contract ApprovingWallet is IERC1271 {
    bytes32 public approved;

    function approve(bytes32 digest) external {
        approved = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == approved ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Accepts everything, after burning about `burn` gas.
contract SlowWallet is IERC1271 {
    uint256 private immutable BURN;

    constructor(uint256 burn) {
        BURN = burn;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 stop = gasleft() > BURN ? gasleft() - BURN : 0;
        while (gasleft() > stop) {}
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev Returns as many bytes as its gas affords, the first 32 of them being `first`.
contract BombWallet {
    bytes32 private immutable FIRST;

    constructor(bytes32 first) {
        FIRST = first;
    }

    fallback() external {
        bytes32 first = FIRST;
        assembly {
            mstore(0, first)
            return(0, 190000)
        }
    }
}

/// @dev Answers with four bytes only: no bytes4 of the ABI.
contract ShortWallet {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 4)
        }
    }
}

/// @dev Tries to change state while it is asked.
contract WritingWallet is IERC1271 {
    uint256 public writes;

    fallback() external {
        writes++;
        bytes32 answer = bytes32(IERC1271.isValidSignature.selector);
        assembly {
            mstore(0, answer)
            return(0, 32)
        }
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        (bool written,) = address(this).staticcall("");
        return written ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
