// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Vm} from "./support/Vm.sol";

contract RevokeTest is RegistryTest {
    function test_revokeSetsTheCallersBits(address sender, uint248 word, uint256 mask) public {
        if (mask == 0) mask = 1;
        vm.expectEmit(address(registry));
        emit ISaysoRegistry.Revoked(sender, word, mask);
        vm.prank(sender);
        registry.revoke(word, mask);
        vm.assertEq(_bits(sender, word), mask);
    }

    function test_eventNamesOnlyNewBits(uint248 word, uint256 first, uint256 second) public {
        registry.revoke(word, first);
        vm.recordLogs();
        registry.revoke(word, second);
        uint256 added = second & ~first;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, added == 0 ? 0 : 1);
        if (added != 0) vm.assertEq(logs[0].data, abi.encode(word, added));
        vm.assertEq(_bits(address(this), word), first | second);
    }

    function test_repeatIsCheapAndSilent() public {
        registry.revoke(5, 7);
        vm.recordLogs();
        uint256 before = gasleft();
        registry.revoke(5, 3);
        vm.assertTrue(before - gasleft() < 5_000); // a storage write would be more
        vm.assertEq(_logCount(), 0);
    }

    function test_anyWordEvenAScopesMayBeSetByItsOwner() public {
        registry.revoke(type(uint248).max, type(uint256).max);
        vm.assertEq(_bits(address(this), type(uint248).max), type(uint256).max);
    }

    function test_revokeManySetsEachPair() public {
        (uint248[] memory words, uint256[] memory masks) = (new uint248[](3), new uint256[](3));
        (words[0], words[1], words[2]) = (1, 2, 1);
        (masks[0], masks[1], masks[2]) = (1, 2, 4);
        vm.prank(alice);
        registry.revokeMany(words, masks);
        vm.assertEq(_bits(alice, 1), 5);
        vm.assertEq(_bits(alice, 2), 2);
    }

    function test_revokeManyNeedsAMaskForEachWord() public {
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.LengthMismatch.selector, 1, 0));
        registry.revokeMany(_words(1), new uint256[](0));
    }

    function test_aWordBeyond248BitsReverts() public {
        bytes memory call =
            abi.encodeWithSelector(ISaysoRegistry.revoke.selector, uint256(1) << 248, uint256(1));
        (bool done,) = address(registry).call(call);
        vm.assertTrue(!done);
    }

    function test_revokeScopesSetsBitZeroOfEachWord() public {
        string[] memory scopes = new string[](2);
        (scopes[0], scopes[1]) = ("everything", "via kled.ai for train-ai");
        vm.expectEmit(address(registry));
        emit ISaysoRegistry.Revoked(alice, _scopeWord("everything"), 1);
        vm.prank(alice);
        registry.revokeScopes(scopes);
        vm.assertEq(_bits(alice, _scopeWord("everything")), 1);
        vm.assertEq(_bits(alice, _scopeWord("via kled.ai for train-ai")), 1);
    }

    function test_scopeWordsAreTheLowBitsOfTheHashWithTheFlag() public pure {
        // Made outside: keccak256("everything"), without its first byte, top bit set.
        vm.assertEq(
            uint256(_scopeWord("everything")),
            0x00ec2cd6e81bff4cd2c8072183f42324ff25339b762c23bf5470468dde1e66bb
        );
    }

    function test_bitsAreInSlotOne(uint248 word) public {
        registry.revoke(word, 6);
        bytes32 outer = keccak256(abi.encode(address(this), uint256(1)));
        bytes32 slot = keccak256(abi.encode(uint256(word), outer));
        vm.assertEq(uint256(vm.load(address(registry), slot)), 6);
    }

    function test_revokedWordsAnswersInOrderAndZeroForUnknown() public {
        registry.revoke(3, 9);
        uint248[] memory words = new uint248[](3);
        (words[0], words[1], words[2]) = (4, 3, 3);
        uint256[] memory bits = registry.revokedWords(address(this), words);
        vm.assertEq(bits[0], 0);
        vm.assertEq(bits[1], 9);
        vm.assertEq(bits[2], 9);
    }
}
