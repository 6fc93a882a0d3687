// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {
    AbstractSigner
} from "@openzeppelin/contracts/utils/cryptography/signers/AbstractSigner.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";
import {SignerP256} from "@openzeppelin/contracts/utils/cryptography/signers/SignerP256.sol";
import {
    SignerWebAuthn
} from "@openzeppelin/contracts/utils/cryptography/signers/SignerWebAuthn.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

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

/// @dev What Kernel asks of the module that validates for its owner (ERC-7579), for an owner with a key.
contract KeyValidator {
    mapping(address => address) private owners;

    function onInstall(bytes calldata owner) external {
        owners[msg.sender] = address(bytes20(owner));
    }

    function isModuleType(uint256 kind) external pure returns (bool) {
        return kind == 1;
    }

    function isValidSignatureWithSender(address, bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        (address signer,,) = ECDSA.tryRecover(digest, signature);
        return
            signer == owners[msg.sender] ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Checks signatures as Coinbase Smart Wallet 1 publishes it: the hash is wrapped for this wallet on this
/// chain, and the signature names the owner. Owner 0 has a key, owner 1 a passkey.
contract ReplaySafeWallet is EIP712, IERC1271 {
    struct SignatureWrapper {
        uint256 ownerIndex;
        bytes signatureData;
    }

    struct WebAuthnAuth {
        bytes authenticatorData;
        string clientDataJSON;
        uint256 challengeIndex;
        uint256 typeIndex;
        uint256 r;
        uint256 s;
    }

    bytes32 private constant MESSAGE = keccak256("CoinbaseSmartWalletMessage(bytes32 hash)");
    address private immutable KEY;
    bytes32 private immutable QX;
    bytes32 private immutable QY;

    constructor(address key, bytes32 qx, bytes32 qy) EIP712("Coinbase Smart Wallet", "1") {
        (KEY, QX, QY) = (key, qx, qy);
    }

    function execute(address to, uint256 value, bytes calldata data) external {
        require(msg.sender == KEY, "not the owner");
        (bool done,) = to.call{value: value}(data);
        require(done, "refused");
    }

    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        bool right = _signed(_hashTypedDataV4(keccak256(abi.encode(MESSAGE, digest))), signature);
        return right ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function _signed(bytes32 digest, bytes calldata signature) private view returns (bool) {
        SignatureWrapper memory wrapper = abi.decode(signature, (SignatureWrapper));
        if (wrapper.ownerIndex == 0) {
            (address signer,,) = ECDSA.tryRecover(digest, wrapper.signatureData);
            return signer == KEY;
        }
        require(wrapper.ownerIndex == 1, "no such owner");
        WebAuthnAuth memory auth = abi.decode(wrapper.signatureData, (WebAuthnAuth));
        WebAuthn.WebAuthnAuth memory same = WebAuthn.WebAuthnAuth({
            r: bytes32(auth.r),
            s: bytes32(auth.s),
            challengeIndex: auth.challengeIndex,
            typeIndex: auth.typeIndex,
            authenticatorData: auth.authenticatorData,
            clientDataJSON: auth.clientDataJSON
        });
        return WebAuthn.verify(abi.encode(digest), same, QX, QY, false);
    }
}
