// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

contract AnchorTest is RegistryTest {
    function test_anchorRecordsWhoAndWhen(bytes32 root, address submitter) public {
        vm.roll(7_000_000);
        vm.warp(1_900_000_000);
        vm.expectEmit(address(registry));
        emit ISaysoRegistry.Anchored(root, submitter);
        vm.prank(submitter);
        registry.anchor(root);
        _assertAnchor(root, submitter, 7_000_000, 1_900_000_000);
    }

    function test_firstAnchorWinsAndRepeatIsSilent() public {
        vm.roll(10);
        vm.warp(100);
        vm.prank(alice);
        registry.anchor("root");
        vm.roll(20);
        vm.warp(200);
        vm.recordLogs();
        registry.anchor("root");
        vm.assertEq(_logCount(), 0);
        _assertAnchor("root", alice, 10, 100);
    }

    function test_anchorManySkipsWhatIsThere() public {
        vm.prank(alice);
        registry.anchor("b");
        bytes32[] memory roots = new bytes32[](4);
        (roots[0], roots[1], roots[2], roots[3]) = ("a", "b", "c", "a");
        vm.recordLogs();
        registry.anchorMany(roots);
        vm.assertEq(_logCount(), 2);
        _assertAnchor("a", address(this), block.number, block.timestamp);
        _assertAnchor("b", alice, block.number, block.timestamp);
        _assertAnchor("c", address(this), block.number, block.timestamp);
    }

    function test_unknownRootIsZeros(bytes32 root) public view {
        _assertAnchor(root, address(0), 0, 0);
    }

    function test_anchorIsInSlotZeroPacked() public {
        vm.roll(3);
        vm.warp(5);
        registry.anchor("root");
        bytes32 slot = keccak256(abi.encode(bytes32("root"), uint256(0)));
        bytes memory packed = abi.encodePacked(address(this), uint48(3), uint48(5));
        vm.assertEq(bytes.concat(vm.load(address(registry), slot)), packed);
    }

    function test_takesNoEther() public {
        (bool sent,) = address(registry).call{value: 1}("");
        vm.assertTrue(!sent);
        bytes memory call = abi.encodeCall(ISaysoRegistry.anchor, ("root"));
        (sent,) = address(registry).call{value: 1}(call);
        vm.assertTrue(!sent);
    }

    function _assertAnchor(bytes32 root, address who, uint256 number, uint256 time) private view {
        (address submitter, uint48 blockNumber, uint48 timestamp) = registry.anchorOf(root);
        vm.assertEq(submitter, who);
        vm.assertEq(uint256(blockNumber), number);
        vm.assertEq(uint256(timestamp), time);
    }
}
