// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AbstractSigner} from "@openzeppelin/contracts/utils/cryptography/signers/AbstractSigner.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";
import {SignerP256} from "@openzeppelin/contracts/utils/cryptography/signers/SignerP256.sol";
import {SignerWebAuthn} from "@openzeppelin/contracts/utils/cryptography/signers/SignerWebAuthn.sol";

/// @dev Carries out what its signer signed; how it signs is OpenZeppelin's code.
abstract contract Carrying is AbstractSigner {
    function execute(address to, bytes calldata data, bytes calldata signature) external {
        require(_rawSignatureValidation(keccak256(abi.encode(to, data)), signature), "not signed");
        (bool done,) = to.call(data);
        require(done, "refused");
    }
}

/// @dev A wallet that a passkey opens (WebAuthn).
contract PasskeyWallet is Carrying, SignerWebAuthn, IERC1271 {
    constructor(bytes32 qx, bytes32 qy) SignerP256(qx, qy) {}

    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        return _rawSignatureValidation(digest, signature)
            ? IERC1271.isValidSignature.selector
            : bytes4(0xffffffff);
    }
}

/// @dev A wallet that shows what it signs inside a message of its own (ERC-7739).
contract NestingWallet is Carrying, SignerECDSA, ERC7739 {
    constructor(address owner) SignerECDSA(owner) EIP712("NestingWallet", "1") {}
}
