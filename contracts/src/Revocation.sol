// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What a contributor signs to take permissions back
/// @dev EIP-712 under the domain of every message of Sayso, {name, version, chainId, verifyingContract}.
/// The chain id is data: whoever sends a signature says under which it was made.
library Revocation {
    /// @dev Scope words have this bit, words of permissions do not.
    uint248 internal constant SCOPE_FLAG = 1 << 247;

    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant NAME = keccak256("Sayso");
    bytes32 private constant VERSION = keccak256("1");

    bytes32 private constant TYPEHASH = keccak256(
        "Revocation(string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks)"
    );

    /// @dev The sentence every wallet shows. Signed, so that nobody revokes without reading it.
    bytes32 private constant NOTICE = keccak256(
        "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone."
    );

    /// @dev The hash of the domain. Computed, never stored: reading it from storage would cost twenty
    /// times as much, and an immutable would make the code differ between chains (docs/adr/0032).
    function domainSeparator(uint256 chainId, address registry)
        internal
        pure
        returns (bytes32 result)
    {
        (bytes32 typehash, bytes32 name, bytes32 version) = (DOMAIN_TYPEHASH, NAME, VERSION);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 32), name)
            mstore(add(free, 64), version)
            mstore(add(free, 96), chainId)
            mstore(add(free, 128), registry)
            result := keccak256(free, 160)
        }
    }

    /// @dev The hash to sign (EIP-712). Assembly, because Solidity would encode each part into
    /// memory of its own before it is hashed: a sixteenth of what relaying a signature costs.
    function digest(
        bytes32 domain,
        address contributor,
        string[] calldata scopes,
        uint256[] calldata words,
        uint256[] calldata masks
    ) internal pure returns (bytes32 result) {
        (bytes32 typehash, bytes32 notice) = (TYPEHASH, NOTICE);
        bytes32 scopesHash = _hashOfTexts(scopes);
        bytes32 wordsHash = _hashOf(words);
        bytes32 masksHash = _hashOf(masks);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 32), notice)
            mstore(add(free, 64), contributor)
            mstore(add(free, 96), scopesHash)
            mstore(add(free, 128), wordsHash)
            mstore(add(free, 160), masksHash)
            let structHash := keccak256(free, 192)
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 2), domain)
            mstore(add(free, 34), structHash)
            result := keccak256(free, 66)
        }
    }

    /// @dev EIP-712's hash of an array: that of its elements, 32 bytes each.
    function _hashOf(uint256[] calldata values) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, values.length)
            calldatacopy(free, values.offset, size)
            result := keccak256(free, size)
        }
    }

    /// @dev The same for texts, whose elements are hashes.
    function _hashOfTexts(string[] calldata texts) private pure returns (bytes32 result) {
        if (texts.length == 0) return keccak256(""); // most have none
        bytes32[] memory hashes = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; i++) {
            hashes[i] = keccak256(bytes(texts[i]));
        }
        assembly ("memory-safe") {
            result := keccak256(add(hashes, 32), shl(5, mload(hashes)))
        }
    }

    /// @dev The word whose bit 0 says that the sentence was revoked.
    function scopeWord(string calldata scope) internal pure returns (uint248) {
        return uint248(uint256(keccak256(bytes(scope)))) | SCOPE_FLAG;
    }
}
