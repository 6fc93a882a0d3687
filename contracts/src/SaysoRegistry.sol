// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISaysoRegistry} from "./ISaysoRegistry.sol";
import {Revocation} from "./Revocation.sol";
import {WalletSignature} from "./WalletSignature.sol";

/// @title Sayso registry
/// @dev Immutable: no owner, pause, proxy, fee or ether. The storage layout is part of the
/// interface, because EIP-1186 proofs of presence and absence are made against these two slots.
contract SaysoRegistry is ISaysoRegistry {
    uint256 private constant MAX_SIGNED_SCOPES = 16;
    uint256 private constant MAX_SIGNED_WORDS = 64;

    /// @dev Slot 0. submitter (160 bits) | block number (48) | timestamp (48).
    mapping(bytes32 root => uint256) private _anchors;

    /// @dev Slot 1.
    mapping(address contributor => mapping(uint248 word => uint256)) private _bits;

    /// @inheritdoc ISaysoRegistry
    function anchor(bytes32 root) external {
        _anchor(root);
    }

    /// @inheritdoc ISaysoRegistry
    function anchorMany(bytes32[] calldata roots) external {
        for (uint256 i = 0; i < roots.length; i++) {
            _anchor(roots[i]);
        }
    }

    /// @inheritdoc ISaysoRegistry
    function revoke(uint248 word, uint256 mask) external {
        _set(msg.sender, word, mask);
    }

    /// @inheritdoc ISaysoRegistry
    function revokeMany(uint248[] calldata words, uint256[] calldata masks) external {
        require(words.length == masks.length, LengthMismatch(words.length, masks.length));
        _setMany(msg.sender, words, masks);
    }

    /// @inheritdoc ISaysoRegistry
    function revokeScopes(string[] calldata scopes) external {
        _setScopes(msg.sender, scopes);
    }

    /// @inheritdoc ISaysoRegistry
    function revokeBySig(
        address contributor,
        string[] calldata scopes,
        uint248[] calldata words,
        uint256[] calldata masks,
        bytes calldata signature
    ) external {
        require(words.length == masks.length, LengthMismatch(words.length, masks.length));
        require(scopes.length <= MAX_SIGNED_SCOPES, TooMany(scopes.length, MAX_SIGNED_SCOPES));
        require(words.length <= MAX_SIGNED_WORDS, TooMany(words.length, MAX_SIGNED_WORDS));
        for (uint256 i = 0; i < words.length; i++) {
            require(words[i] < Revocation.SCOPE_FLAG, InvalidWord(words[i]));
        }
        bytes32 digest = Revocation.digest(contributor, scopes, words, masks);
        WalletSignature.check(contributor, digest, signature);
        _setScopes(contributor, scopes);
        _setMany(contributor, words, masks);
    }

    /// @inheritdoc ISaysoRegistry
    function revokedWords(address contributor, uint248[] calldata words)
        external
        view
        returns (uint256[] memory bits)
    {
        bits = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; i++) {
            bits[i] = _bits[contributor][words[i]];
        }
    }

    /// @inheritdoc ISaysoRegistry
    function anchorOf(bytes32 root)
        external
        view
        returns (address submitter, uint48 blockNumber, uint48 timestamp)
    {
        uint256 packed = _anchors[root];
        return (address(uint160(packed >> 96)), uint48(packed >> 48), uint48(packed));
    }

    function _anchor(bytes32 root) private {
        if (_anchors[root] != 0) return;
        _anchors[root] = uint256(uint160(msg.sender)) << 96 | block.number << 48 | block.timestamp;
        emit Anchored(root, msg.sender);
    }

    function _setScopes(address contributor, string[] calldata scopes) private {
        for (uint256 i = 0; i < scopes.length; i++) {
            _set(contributor, Revocation.scopeWord(scopes[i]), 1);
        }
    }

    function _setMany(address contributor, uint248[] calldata words, uint256[] calldata masks)
        private
    {
        for (uint256 i = 0; i < words.length; i++) {
            _set(contributor, words[i], masks[i]);
        }
    }

    /// @dev The only place that writes bits, and it only adds: a repeat costs no write.
    function _set(address contributor, uint248 word, uint256 mask) private {
        uint256 before = _bits[contributor][word];
        uint256 added = mask & ~before;
        if (added == 0) return;
        _bits[contributor][word] = before | added;
        emit Revoked(contributor, word, added);
    }
}
