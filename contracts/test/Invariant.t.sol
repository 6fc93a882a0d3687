// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RegistryTest} from "./support/RegistryTest.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";

/// @dev Three people who revoke, carry each other's signatures and anchor, in any order. Beside the
/// contract it keeps a plain account of what each of them wanted.
contract Crowd is RegistryTest {
    uint256 public constant PEOPLE = 3;
    uint248 public constant WORDS = 4;

    mapping(address person => mapping(uint248 word => uint256)) public wanted;

    constructor(SaysoRegistry shared) {
        registry = shared;
    }

    function person(uint256 index) public pure returns (address) {
        return vm.addr(_key(index));
    }

    function revoke(uint256 who, uint248 word, uint256 mask) external {
        word %= WORDS;
        wanted[person(who)][word] |= mask;
        vm.prank(person(who));
        registry.revoke(word, mask);
    }

    function sign(uint256 who, uint256 carrier, uint248 word, uint256 mask) external {
        word %= WORDS;
        Signed memory message = _unsigned(person(who), "everything", word, mask);
        message.signature = _sign(_key(who), _digest(message));
        wanted[person(who)][word] |= mask;
        wanted[person(who)][_scopeWord("everything")] = 1;
        vm.prank(person(carrier));
        _send(message);
    }

    /// @dev A carrier who changes the mask gets nowhere.
    function forge(uint256 who, uint256 carrier, uint248 word, uint256 mask) external {
        Signed memory message = _unsigned(person(who), "", word % WORDS, mask);
        message.signature = _sign(_key(who), _digest(message));
        message.masks[0] = ~mask;
        vm.expectRevert();
        vm.prank(person(carrier));
        _send(message);
    }

    function anchor(uint256 who, bytes32 root) external {
        vm.prank(person(who));
        registry.anchor(root);
    }

    function _key(uint256 index) private pure returns (uint256) {
        return 0xC0FFEE + index % PEOPLE;
    }
}

contract InvariantTest is RegistryTest {
    Crowd private crowd = new Crowd(registry);

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(crowd);
    }

    /// @dev Equality says both: no bit was ever cleared, and nobody set another's.
    function invariant_bitsAreExactlyWhatTheirOwnersWanted() public view {
        for (uint256 i = 0; i < crowd.PEOPLE(); i++) {
            for (uint248 word = 0; word < crowd.WORDS(); word++) {
                _assertWanted(crowd.person(i), word);
            }
            _assertWanted(crowd.person(i), _scopeWord("everything"));
        }
    }

    function _assertWanted(address person, uint248 word) private view {
        vm.assertEq(_bits(person, word), crowd.wanted(person, word));
    }
}
