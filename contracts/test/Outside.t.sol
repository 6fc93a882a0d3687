// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RegistryTest} from "./support/RegistryTest.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";

/// @dev Signatures by implementations that share no code with the registry, nor with each other.
contract OutsideTest is RegistryTest {
    /// @dev Made by tests/contracts/test_vectors.py.
    function test_whatEthAccountSignedIsAccepted() public {
        vm.assertEq(_accepted("test/vectors.json"), 5);
    }

    /// @dev Made by tests/interop/revocations.js.
    function test_whatViemSignedIsAccepted() public {
        vm.assertEq(_accepted("test/viem.json"), 7);
    }

    /// @dev Sends each one by itself, and to a second registry all together.
    function _accepted(string memory file) private returns (uint256 count) {
        string memory json = vm.readFile(file);
        while (vm.keyExistsJson(json, _at(count, ""))) count++;
        Signed[] memory list = new Signed[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = _vector(json, i);
            vm.assertEq(_digest(list[i]), vm.parseJsonBytes32(json, _at(i, ".digest")));
            _send(list[i]);
        }
        _assertDone(list);
        registry = new SaysoRegistry();
        _relay(list);
        _assertDone(list);
    }

    function _assertDone(Signed[] memory list) private view {
        for (uint256 i = 0; i < list.length; i++) {
            _assertDone(list[i]);
        }
    }

    function _assertDone(Signed memory message) private view {
        for (uint256 i = 0; i < message.words.length; i++) {
            uint256 bits = _bits(message.contributor, message.words[i]);
            vm.assertEq(bits & message.masks[i], message.masks[i]);
        }
        for (uint256 i = 0; i < message.scopes.length; i++) {
            vm.assertEq(_bits(message.contributor, _scopeWord(message.scopes[i])), 1);
        }
    }

    function _vector(string memory json, uint256 index) private pure returns (Signed memory m) {
        m.contributor = vm.parseJsonAddress(json, _at(index, ".contributor"));
        m.scopes = vm.parseJsonStringArray(json, _at(index, ".scopes"));
        m.masks = vm.parseJsonUintArray(json, _at(index, ".masks"));
        m.signature = vm.parseJsonBytes(json, _at(index, ".signature"));
        m.words = vm.parseJsonUintArray(json, _at(index, ".words"));
    }

    function _at(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("$[", vm.toString(index), "]", field);
    }
}
