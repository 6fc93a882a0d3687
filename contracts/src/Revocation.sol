// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What a contributor signs to take permissions back
/// @dev EIP-712 under the domain {name: "Sayso", version: "1"} alone, without chain and contract.
library Revocation {
    /// @dev Scope words have this bit, words of permissions do not.
    uint248 internal constant SCOPE_FLAG = 1 << 247;

    bytes32 private constant DOMAIN_SEPARATOR = keccak256(
        abi.encode(
            keccak256("EIP712Domain(string name,string version)"),
            keccak256("Sayso"),
            keccak256("1")
        )
    );

    bytes32 private constant TYPEHASH = keccak256(
        "Revocation(string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks)"
    );

    /// @dev The sentence every wallet shows. Signed, so that nobody revokes without reading it.
    bytes32 private constant NOTICE = keccak256(
        "I take back my permission, now and for ever, on every network. This cannot be undone."
    );

    /// @dev The hash to sign.
    function digest(
        address contributor,
        string[] calldata scopes,
        uint248[] calldata words,
        uint256[] calldata masks
    ) internal pure returns (bytes32) {
        bytes32[] memory sentences = new bytes32[](scopes.length);
        for (uint256 i = 0; i < scopes.length; i++) {
            sentences[i] = keccak256(bytes(scopes[i]));
        }
        bytes32 structHash = keccak256(
            abi.encode(
                TYPEHASH,
                NOTICE,
                contributor,
                keccak256(abi.encodePacked(sentences)),
                keccak256(abi.encodePacked(words)),
                keccak256(abi.encodePacked(masks))
            )
        );
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
    }

    /// @dev The word whose bit 0 says that the sentence was revoked.
    function scopeWord(string calldata scope) internal pure returns (uint248) {
        return uint248(uint256(keccak256(bytes(scope)))) | SCOPE_FLAG;
    }
}
