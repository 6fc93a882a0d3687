// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Sayso registry
/// @notice Where contributors take permissions back for ever, where contract wallets endorse statements,
/// and where roots are dated.
/// @dev The whole state of revocation is one grow-only set of bits per contributor: 256 bits to a
/// word, a word to a storage slot. A bit is set by its contributor's transaction or signature, by
/// nobody else, and nothing clears it. What a bit means is fixed in docs/protocol.md; the contract
/// only knows that a scope (a sentence such as "everything") sets bit 0 of a word of its own.
interface ISaysoRegistry {
    /// @notice A revocation on its way: the arguments of `revokeBySig`.
    struct SignedRevocation {
        address contributor;
        uint256 chainId;
        string[] scopes;
        uint256[] words;
        uint256[] masks;
        bytes signature;
    }

    /// @notice `root` was recorded for the first time.
    event Anchored(bytes32 indexed root, address indexed submitter);

    /// @notice `bits` of a word were set that had not been set before.
    event Revoked(address indexed contributor, uint248 word, uint256 bits);

    /// @notice `signer` endorsed `digest` for the first time.
    event Endorsed(address indexed signer, bytes32 indexed digest);

    /// @notice Item `index` of a relay had no effect.
    /// @dev `reason` is what `revokeBySig` would have reverted with: one of the errors below, encoded.
    event Rejected(uint256 index, address indexed contributor, bytes reason);

    /// @notice Every word needs its mask.
    error LengthMismatch(uint256 words, uint256 masks);

    /// @notice A signature carries at most 16 scopes and 64 words.
    error TooMany(uint256 given, uint256 limit);

    /// @notice Words from 2^247 belong to scopes, and scopes are signed as sentences only.
    error InvalidWord(uint256 word);

    /// @notice A chain id is 1 to 2^53 - 1: what JSON and JavaScript hold exactly.
    error InvalidChainId(uint256 chainId);

    /// @notice Neither ECDSA nor ERC-1271 finds that `contributor` signed this.
    error InvalidSignature(address contributor);

    /// @notice The wallet used up the gas for its answer, so nobody knows whether it would accept.
    error WalletRanOut(address contributor);

    /// @notice The wallet could not be asked with the gas it is entitled to; send more.
    error TooLittleGas(uint256 given, uint256 required);

    /// @notice Date `root`. The first call counts, a repeat does nothing.
    /// @dev Proves that the root existed before its block; not validity, consent or availability.
    /// Whoever sees a pending call can be faster, so the submitter is no authority.
    function anchor(bytes32 root) external;

    /// @notice `anchor` for each of `roots`.
    function anchorMany(bytes32[] calldata roots) external;

    /// @notice Take back the caller's own permissions `mask` in `word`, which may be a scope's.
    function revoke(uint248 word, uint256 mask) external;

    /// @notice `revoke` for each pair.
    function revokeMany(uint248[] calldata words, uint256[] calldata masks) external;

    /// @notice Take back everything of the caller's that the sentences name.
    function revokeScopes(string[] calldata scopes) external;

    /// @notice Carry out a revocation that `contributor` signed, whoever sends it.
    /// @dev Any chain id is as good as this chain's, with this registry's address, which is the same on
    /// every chain: one signature stops every chain, and a replay is a no-op that its sender pays for.
    /// See Revocation.sol for what is signed.
    /// @param chainId The chain id under which it was signed, 1 to 2^53 - 1.
    /// @param signature 65 bytes r, s, v with low s; or what the wallet's ERC-1271 method takes.
    function revokeBySig(
        address contributor,
        uint256 chainId,
        string[] calldata scopes,
        uint256[] calldata words,
        uint256[] calldata masks,
        bytes calldata signature
    ) external;

    /// @notice `revokeBySig` for each of `items`, of many signers, in one transaction.
    /// @dev What is wrong with an item rejects that item alone, by an event. Only two things revert
    /// the whole: data that is no list of items, and TooLittleGas, because a relay that could not
    /// afford to ask a wallet must not say that the wallet refused.
    function relay(SignedRevocation[] calldata items) external;

    /// @notice Sign the statement of this digest by sending a transaction: for contract wallets.
    /// @dev For the caller alone, and for ever. The first call counts, a repeat does nothing. What the
    /// digest is of, the contract does not know (docs/protocol.md, rule 10.4.8).
    function endorse(bytes32 digest) external;

    /// @notice The bits set in each of `words`.
    function revokedWords(address contributor, uint248[] calldata words)
        external
        view
        returns (uint256[] memory bits);

    /// @notice In which block, and at which time, `signer` endorsed `digest`; zeros when it did not.
    function endorsementOf(address signer, bytes32 digest)
        external
        view
        returns (uint48 blockNumber, uint48 timestamp);

    /// @notice Who anchored `root` first, in which block, and that block's time; zeros when nobody.
    function anchorOf(bytes32 root)
        external
        view
        returns (address submitter, uint48 blockNumber, uint48 timestamp);
}
