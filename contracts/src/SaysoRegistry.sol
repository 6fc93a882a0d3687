// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISaysoRegistry} from "./ISaysoRegistry.sol";
import {Revocation} from "./Revocation.sol";
import {SignedLimits} from "./SignedLimits.sol";
import {WalletSignature} from "./WalletSignature.sol";

/// @title Sayso registry
/// @dev Immutable: no owner, pause, proxy, fee or ether. The storage layout is part of the
/// interface, because EIP-1186 proofs of presence and absence are made against these three slots. The
/// code has no immutables, so that it is the same on every chain.
contract SaysoRegistry is ISaysoRegistry {
    /// @dev Slot 0. submitter (160 bits) | block number (48) | timestamp (48).
    mapping(bytes32 root => uint256) private _anchors;

    /// @dev Slot 1.
    mapping(address contributor => mapping(uint248 word => uint256)) private _bits;

    /// @dev Slot 2. block number (48 bits) | timestamp (48).
    mapping(address signer => mapping(bytes32 digest => uint256)) private _endorsements;

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
        for (uint256 i = 0; i < words.length; i++) {
            _set(msg.sender, words[i], masks[i]);
        }
    }

    /// @inheritdoc ISaysoRegistry
    function revokeScopes(string[] calldata scopes) external {
        _setScopes(msg.sender, scopes);
    }

    /// @inheritdoc ISaysoRegistry
    function revokeBySig(
        address contributor,
        uint256 chainId,
        string[] calldata scopes,
        uint256[] calldata words,
        uint256[] calldata masks,
        bytes calldata signature
    ) external {
        bytes32 domain = Revocation.domainSeparator(chainId, address(this));
        bytes memory fault =
            _carryOut(domain, contributor, chainId, scopes, words, masks, signature);
        if (fault.length == 0) return;
        assembly ("memory-safe") {
            revert(add(fault, 32), mload(fault))
        }
    }

    /// @inheritdoc ISaysoRegistry
    function relay(SignedRevocation[] calldata items) external {
        uint256 chainId = block.chainid;
        bytes32 domain = Revocation.domainSeparator(chainId, address(this));
        for (uint256 i = 0; i < items.length; i++) {
            SignedRevocation calldata item = items[i];
            if (item.chainId != chainId) {
                chainId = item.chainId;
                domain = Revocation.domainSeparator(chainId, address(this));
            }
            bytes memory fault = _carryOut(
                domain,
                item.contributor,
                chainId,
                item.scopes,
                item.words,
                item.masks,
                item.signature
            );
            if (fault.length != 0) emit Rejected(i, item.contributor, fault);
        }
    }

    /// @inheritdoc ISaysoRegistry
    function endorse(bytes32 digest) external {
        mapping(bytes32 => uint256) storage own = _endorsements[msg.sender];
        // No time is compared: a slot with a block and a time is one that was written.
        // slither-disable-next-line timestamp
        if (own[digest] != 0) return;
        own[digest] = block.number << 48 | block.timestamp;
        emit Endorsed(msg.sender, digest);
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

    /// @inheritdoc ISaysoRegistry
    function endorsementOf(address signer, bytes32 digest)
        external
        view
        returns (uint48 blockNumber, uint48 timestamp)
    {
        uint256 packed = _endorsements[signer][digest];
        return (uint48(packed >> 48), uint48(packed));
    }

    function _anchor(bytes32 root) private {
        // No time is compared: a slot with a submitter, a block and a time is one that was written.
        // slither-disable-next-line timestamp
        if (_anchors[root] != 0) return;
        _anchors[root] = uint256(uint160(msg.sender)) << 96 | block.number << 48 | block.timestamp;
        emit Anchored(root, msg.sender);
    }

    /// @dev Does what `contributor` signed under `domain`, or nothing and returns the error that says why.
    function _carryOut(
        bytes32 domain,
        address contributor,
        uint256 chainId,
        string[] calldata scopes,
        uint256[] calldata words,
        uint256[] calldata masks,
        bytes calldata signature
    ) private returns (bytes memory fault) {
        fault = SignedLimits.fault(chainId, scopes, words, masks);
        if (fault.length != 0) return fault;
        bytes32 digest = Revocation.digest(domain, contributor, scopes, words, masks);
        bytes4 error_ = WalletSignature.fault(contributor, digest, signature);
        if (error_ != 0) return abi.encodeWithSelector(error_, contributor);
        _setScopes(contributor, scopes);
        for (uint256 i = 0; i < words.length; i++) {
            _set(contributor, uint248(words[i]), masks[i]);
        }
    }

    function _setScopes(address contributor, string[] calldata scopes) private {
        for (uint256 i = 0; i < scopes.length; i++) {
            _set(contributor, Revocation.scopeWord(scopes[i]), 1);
        }
    }

    /// @dev The only place that writes bits, and it only adds: a repeat costs no write.
    function _set(address contributor, uint248 word, uint256 mask) private {
        mapping(uint248 => uint256) storage own = _bits[contributor];
        uint256 before = own[word];
        uint256 added = mask & ~before;
        if (added == 0) return;
        own[word] = before | added;
        emit Revoked(contributor, word, added);
    }
}
