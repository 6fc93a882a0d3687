// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RegistryTest} from "./support/RegistryTest.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";

/// @dev Three people who revoke, carry each other's signatures and anchor, in any order. Beside the
/// contract it keeps a plain account of what each of them wanted.
contract Crowd is RegistryTest {
    uint256 public constant PEOPLE = 3;
    uint248 public constant WORDS = 4;
    uint256 public constant STATEMENTS = 3;

    mapping(address person => mapping(uint248 word => uint256)) public wanted;
    mapping(address person => mapping(bytes32 digest => uint256)) public endorsedIn;
    uint256 public relays;
    uint256 public reverted;

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

    /// @dev Under any chain id, also of another chain than this.
    function signElsewhere(uint256 who, uint256 chainId, uint248 word, uint256 mask) external {
        word %= WORDS;
        Signed memory message = _unsigned(person(who), "", word, mask);
        message.chainId = chainId % ((1 << 53) - 1) + 1;
        message.signature = _sign(_key(who), _digest(message));
        wanted[person(who)][word] |= mask;
        _send(message);
    }

    /// @dev One relay of three: a forged item, what `who` signed, and an item that is out of bounds.
    function relay(uint256 who, uint256 carrier, uint248 word, uint256 mask) external {
        word %= WORDS;
        Signed[] memory list = new Signed[](3);
        for (uint256 i = 0; i < 3; i++) {
            list[i] = _unsigned(person(who), "", word, mask);
            list[i].signature = _sign(_key(who), _digest(list[i]));
        }
        list[0].masks[0] = ~mask;
        list[2].words[0] = 1 << 247;
        wanted[person(who)][word] |= mask;
        relays++;
        vm.prank(person(carrier));
        try registry.relay(_asItems(list)) {}
        catch {
            reverted++;
        }
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

    function endorse(uint256 who, uint256 statement) external {
        bytes32 digest = bytes32(statement % STATEMENTS);
        vm.roll(block.number + 1);
        if (endorsedIn[person(who)][digest] == 0) endorsedIn[person(who)][digest] = block.number;
        vm.prank(person(who));
        registry.endorse(digest);
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

    function invariant_aBitNeverClears() public view {
        for (uint256 i = 0; i < crowd.PEOPLE(); i++) {
            for (uint248 word = 0; word < crowd.WORDS(); word++) {
                uint256 wanted = crowd.wanted(crowd.person(i), word);
                vm.assertEq(_bits(crowd.person(i), word) & wanted, wanted);
            }
            uint256 all = crowd.wanted(crowd.person(i), _scopeWord("everything"));
            vm.assertEq(_bits(crowd.person(i), _scopeWord("everything")), all);
        }
    }

    function invariant_nobodySetsAnothersBits() public view {
        for (uint256 i = 0; i < crowd.PEOPLE(); i++) {
            for (uint248 word = 0; word < crowd.WORDS(); word++) {
                uint256 wanted = crowd.wanted(crowd.person(i), word);
                vm.assertEq(_bits(crowd.person(i), word) & ~wanted, 0);
            }
            vm.assertEq(_bits(crowd.person(i), 1 << 247), 0);
        }
    }

    function invariant_anEndorsementIsItsSignersFirst() public view {
        for (uint256 i = 0; i < crowd.PEOPLE(); i++) {
            for (uint256 j = 0; j < crowd.STATEMENTS(); j++) {
                (uint48 number,) = registry.endorsementOf(crowd.person(i), bytes32(j));
                vm.assertEq(uint256(number), crowd.endorsedIn(crowd.person(i), bytes32(j)));
            }
        }
    }

    function invariant_aRelayNeverRevertsForOneBadItem() public view {
        vm.assertEq(crowd.reverted(), 0);
    }
}
