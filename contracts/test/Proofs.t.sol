// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev The few cheat codes of halmos that these proofs use.
interface Symbolic {
    function createCalldata(string calldata contractName) external returns (bytes memory);
    function enableSymbolicStorage(address target) external;
}

/// @dev Not run by forge but proved by halmos (`make prove`), on the bytecode, for every value of the
/// arguments and every state that storage can be in; arrays up to the lengths the Makefile states.
contract ProofsTest is RegistryTest {
    Symbolic private constant svm = Symbolic(0xF3993A62377BCd56AE39D773740A5390411E8BC9);

    function check_noFunctionClearsABit(address caller, address person, uint248 word) public {
        svm.enableSymbolicStorage(address(registry));
        uint256 before = _bits(person, word);
        bytes memory anything = svm.createCalldata("SaysoRegistry");
        vm.prank(caller);
        (bool done,) = address(registry).call(anything);
        vm.assume(done);
        assert(_bits(person, word) & before == before);
    }

    function check_noFunctionChangesAnEndorsement(address caller, address person, bytes32 digest)
        public
    {
        svm.enableSymbolicStorage(address(registry));
        (uint48 number, uint48 time) = registry.endorsementOf(person, digest);
        bytes memory anything = svm.createCalldata("SaysoRegistry");
        vm.prank(caller);
        (bool done,) = address(registry).call(anything);
        vm.assume(done);
        (uint48 numberAfter, uint48 timeAfter) = registry.endorsementOf(person, digest);
        if (number != 0 || time != 0 || caller != person) {
            assert(numberAfter == number && timeAfter == time);
        }
    }

    function check_nobodySetsAnothersBitsByTransaction(
        address caller,
        address person,
        uint248 word,
        uint248[] calldata words,
        uint256[] calldata masks,
        string[] calldata scopes
    ) public {
        vm.assume(caller != person);
        svm.enableSymbolicStorage(address(registry));
        uint256 before = _bits(person, word);
        vm.prank(caller);
        registry.revokeScopes(scopes);
        vm.prank(caller);
        registry.revokeMany(words, masks);
        assert(_bits(person, word) == before);
    }

    function check_nobodySetsAnothersBitsWithoutASignature(
        address caller,
        address person,
        uint256 chainId,
        uint256 word,
        uint256 mask,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) public {
        Signed memory message = _unsigned(person, "", word, mask);
        message.chainId = chainId;
        vm.assume(person.code.length == 0);
        vm.assume(ecrecover(_digest(message), v, r, s) != person);
        message.signature = abi.encodePacked(r, s, v);
        vm.prank(caller);
        (bool done,) = address(registry).call(_bySig(message));
        assert(!done);
    }

    function check_revokeSetsExactlyTheMask(
        address caller,
        uint248 word,
        uint256 mask,
        address other,
        uint248 otherWord
    ) public {
        svm.enableSymbolicStorage(address(registry));
        uint256 before = _bits(caller, word);
        uint256 otherBefore = _bits(other, otherWord);
        vm.prank(caller);
        registry.revoke(word, mask);
        assert(_bits(caller, word) == before | mask);
        if (other != caller || otherWord != word) {
            assert(_bits(other, otherWord) == otherBefore);
        }
    }
}
