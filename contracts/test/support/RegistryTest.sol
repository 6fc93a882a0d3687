// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../../src/ISaysoRegistry.sol";
import {Revocation} from "../../src/Revocation.sol";
import {SaysoRegistry} from "../../src/SaysoRegistry.sol";
import {Vm} from "./Vm.sol";

/// @dev Lets tests call the library, which takes calldata.
contract Digests {
    function digest(
        address registry,
        uint256 chainId,
        address contributor,
        string[] calldata scopes,
        uint256[] calldata words,
        uint256[] calldata masks
    ) external pure returns (bytes32) {
        bytes32 domain = Revocation.domainSeparator(chainId, registry);
        return Revocation.digest(domain, contributor, scopes, words, masks);
    }
}

/// @dev A fresh registry and short ways to say what most tests say.
abstract contract RegistryTest {
    struct Signed {
        address contributor;
        uint256 chainId;
        string[] scopes;
        uint256[] words;
        uint256[] masks;
        bytes signature;
    }

    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 internal constant KEY = 0xA11CE;

    SaysoRegistry internal registry = new SaysoRegistry();
    Digests internal digests = new Digests();
    address internal alice = vm.addr(KEY);

    function _unsigned(address contributor, string memory scope, uint256 word, uint256 mask)
        internal
        view
        returns (Signed memory)
    {
        return
            Signed(contributor, block.chainid, _strings(scope), _numbers(word), _numbers(mask), "");
    }

    function _signed(string memory scope, uint256 word, uint256 mask)
        internal
        view
        returns (Signed memory message)
    {
        message = _unsigned(alice, scope, word, mask);
        message.signature = _sign(KEY, _digest(message));
    }

    function _digest(Signed memory m) internal view returns (bytes32) {
        return
            digests.digest(address(registry), m.chainId, m.contributor, m.scopes, m.words, m.masks);
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _send(Signed memory m) internal {
        registry.revokeBySig(m.contributor, m.chainId, m.scopes, m.words, m.masks, m.signature);
    }

    /// @dev The call that `_send` makes.
    function _bySig(Signed memory m) internal pure returns (bytes memory) {
        return abi.encodeCall(
            ISaysoRegistry.revokeBySig,
            (m.contributor, m.chainId, m.scopes, m.words, m.masks, m.signature)
        );
    }

    function _relay(Signed[] memory list) internal {
        registry.relay(_asItems(list));
    }

    function _asItems(Signed[] memory list)
        internal
        pure
        returns (ISaysoRegistry.SignedRevocation[] memory items)
    {
        items = new ISaysoRegistry.SignedRevocation[](list.length);
        for (uint256 i = 0; i < list.length; i++) {
            Signed memory m = list[i];
            items[i] = ISaysoRegistry.SignedRevocation(
                m.contributor, m.chainId, m.scopes, m.words, m.masks, m.signature
            );
        }
    }

    function _bits(address contributor, uint256 word) internal view returns (uint256) {
        return registry.revokedWords(contributor, _words(uint248(word)))[0];
    }

    function _scopeWord(string memory scope) internal pure returns (uint248) {
        return uint248(uint256(keccak256(bytes(scope)))) | uint248(1 << 247);
    }

    function _strings(string memory one) internal pure returns (string[] memory list) {
        if (bytes(one).length == 0) return list;
        list = new string[](1);
        list[0] = one;
    }

    function _words(uint248 one) internal pure returns (uint248[] memory list) {
        list = new uint248[](1);
        list[0] = one;
    }

    function _numbers(uint256 one) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = one;
    }

    /// @dev How many events the registry emitted since vm.recordLogs().
    function _logCount() internal returns (uint256) {
        return vm.getRecordedLogs().length;
    }
}
