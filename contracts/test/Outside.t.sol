// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RegistryTest} from "./support/RegistryTest.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";

/// @dev Signatures by implementations that share no code with the registry, nor with each other.
contract OutsideTest is RegistryTest {
    /// @dev For which the outside world signed, under several chain ids.
    address private constant PLACE = 0x5A7500000000000000000000000000000000C0De;

    /// @dev Made by tests/contracts/test_vectors.py.
    function test_whatEthAccountSignedIsAccepted() public {
        vm.assertEq(_sent("test/vectors.json"), 5);
    }

    function test_whatEthAccountSignedIsRelayed() public {
        _relayed("test/vectors.json");
    }

    /// @dev Made by tests/interop/revocations.js.
    function test_whatViemSignedIsAccepted() public {
        vm.assertEq(_sent("test/viem.json"), 7);
    }

    function test_whatViemSignedIsRelayed() public {
        _relayed("test/viem.json");
    }

    function _sent(string memory file) private returns (uint256) {
        Signed[] memory list = _read(file);
        for (uint256 i = 0; i < list.length; i++) {
            _send(list[i]);
        }
        _assertDone(list);
        return list.length;
    }

    function _relayed(string memory file) private {
        Signed[] memory list = _read(file);
        _relay(list);
        _assertDone(list);
    }

    function _read(string memory file) private returns (Signed[] memory list) {
        vm.etch(PLACE, address(registry).code);
        registry = SaysoRegistry(PLACE);
        string memory json = vm.readFile(file);
        uint256 count = 0;
        while (vm.keyExistsJson(json, _at(count, ""))) count++;
        list = new Signed[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = _vector(json, i);
            vm.assertEq(_digest(list[i]), vm.parseJsonBytes32(json, _at(i, ".digest")));
        }
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
        m.chainId = vm.parseJsonUint(json, _at(index, ".chainId"));
        m.scopes = vm.parseJsonStringArray(json, _at(index, ".scopes"));
        m.masks = vm.parseJsonUintArray(json, _at(index, ".masks"));
        m.signature = vm.parseJsonBytes(json, _at(index, ".signature"));
        m.words = vm.parseJsonUintArray(json, _at(index, ".words"));
    }

    function _at(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("$[", vm.toString(index), "]", field);
    }
}
