// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev Endorsements: set by their sender alone, once, for ever.
contract EndorseTest is RegistryTest {
    function test_anEndorsementRecordsWhen(bytes32 digest, address signer) public {
        vm.roll(7_000_000);
        vm.warp(1_900_000_000);
        vm.expectEmit(address(registry));
        emit ISaysoRegistry.Endorsed(signer, digest);
        vm.prank(signer);
        registry.endorse(digest);
        _assertEndorsed(signer, digest, 7_000_000, 1_900_000_000);
    }

    function test_theFirstCountsAndARepeatIsSilent() public {
        vm.roll(10);
        vm.warp(100);
        vm.prank(alice);
        registry.endorse("statement");
        vm.roll(20);
        vm.warp(200);
        vm.recordLogs();
        vm.prank(alice);
        registry.endorse("statement");
        vm.assertEq(_logCount(), 0);
        _assertEndorsed(alice, "statement", 10, 100);
    }

    function test_nobodyEndorsesForAnother(address other, bytes32 digest) public {
        vm.assume(other != alice);
        vm.prank(other);
        registry.endorse(digest);
        _assertEndorsed(alice, digest, 0, 0);
    }

    function test_anEndorsementIsOfOneDigest(bytes32 digest, bytes32 other) public {
        vm.assume(other != digest);
        vm.prank(alice);
        registry.endorse(digest);
        _assertEndorsed(alice, other, 0, 0);
    }

    /// @dev It revokes nothing, and is no signature of a revocation.
    function test_anEndorsedRevocationIsNotSigned() public {
        Signed memory message = _unsigned(alice, "everything", 1, 1);
        vm.prank(alice);
        registry.endorse(_digest(message));
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.InvalidSignature.selector, alice));
        _send(message);
        vm.assertEq(_bits(alice, 1), 0);
    }

    function test_endorsementsAreInSlotTwoPacked() public {
        vm.roll(3);
        vm.warp(5);
        vm.prank(alice);
        registry.endorse("statement");
        bytes32 own = keccak256(abi.encode(alice, uint256(2)));
        bytes32 slot = keccak256(abi.encode(bytes32("statement"), own));
        vm.assertEq(uint256(vm.load(address(registry), slot)), uint256(3) << 48 | 5);
    }

    function _assertEndorsed(address signer, bytes32 digest, uint256 number, uint256 time)
        private
        view
    {
        (uint48 blockNumber, uint48 timestamp) = registry.endorsementOf(signer, digest);
        vm.assertEq(uint256(blockNumber), number);
        vm.assertEq(uint256(timestamp), time);
    }
}
