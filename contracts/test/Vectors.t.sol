// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SaysoRegistry} from "../src/SaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev The published vectors (docs/protocol.md, section 12), by what Solidity says of them.
contract VectorsTest is RegistryTest {
    bytes32 private constant CONSENT_TYPE = keccak256(
        "Consent(string notice,address contributor,address[] parties,address grantee,string via,bytes32 content,uint32 items,string[] purposes,bytes32 terms,string termsUri,address guardian,uint64 issuedAt,uint64 expiresAt,uint16 recheckHours,uint16 removalDays)"
    );
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    string private messages = vm.readFile("../tests/vectors/messages.json");
    string private scopes = vm.readFile("../tests/vectors/scopes.json");

    function test_revocationsOfTheVectorsAreCarriedOut() public {
        vm.assertTrue(_each("Revocation", this.carryOut) >= 4);
    }

    function test_consentsOfTheVectorsAreTheirSigners() public {
        vm.assertTrue(_each("Consent", this.recover) >= 4);
    }

    /// @dev Rule 5.5 is written in terms of Solidity's own abi.encode.
    function test_firstWordsOfTheVectors() public {
        vm.assertTrue(_each("Consent", this.encodeTerms) >= 4);
    }

    /// @dev Calls the check for each message of the kind, on a registry where nothing is revoked yet. Each is a
    /// call of its own because memory, which each reading of the file fills, is freed at a call's end only.
    function _each(string memory kind, function(uint256) external check)
        private
        returns (uint256 found)
    {
        uint256 fresh = vm.snapshotState();
        for (uint256 i = 0; _exists(messages, i); i++) {
            if (!this.isA(i, kind)) continue;
            found++;
            check(i);
            vm.revertToState(fresh);
        }
    }

    function isA(uint256 i, string memory kind) external view returns (bool) {
        string memory named = vm.parseJsonString(messages, _at(i, ".typed_data.primaryType"));
        return keccak256(bytes(named)) == keccak256(bytes(kind));
    }

    function carryOut(uint256 i) external {
        Signed memory message = _revocation(i);
        _place(i);
        vm.assertEq(_digest(message), vm.parseJsonBytes32(messages, _at(i, ".digest")));
        _send(message);
        for (uint256 j = 0; j < message.words.length; j++) {
            vm.assertEq(
                _bits(message.contributor, message.words[j]), _named(message, message.words[j])
            );
        }
        for (uint256 j = 0; j < message.scopes.length; j++) {
            vm.assertEq(_bits(message.contributor, _scopeWord(message.scopes[j])), 1);
        }
    }

    function recover(uint256 i) external view {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _domain(i), _struct(i)));
        vm.assertEq(digest, vm.parseJsonBytes32(messages, _at(i, ".digest")));
        bytes memory signature = vm.parseJsonBytes(messages, _at(i, ".signature"));
        vm.assertEq(_signer(digest, signature), _address(i, "contributor"));
    }

    function encodeTerms(uint256 i) external view {
        bytes memory terms = abi.encode(
            _address(i, "grantee"), _text(i, "via"), _hash(i, "content"), _texts(i, "purposes")
        );
        vm.assertEq(keccak256(terms), vm.parseJsonBytes32(messages, _at(i, ".agreement")));
        uint256 base = uint256(keccak256(terms)) & ((1 << 247) - 1) & ~uint256(63);
        vm.assertEq(bytes32(base), vm.parseJsonBytes32(messages, _at(i, ".base")));
    }

    /// @dev What the message names in the word, which it may name more than once.
    function _named(Signed memory m, uint256 word) private pure returns (uint256 mask) {
        for (uint256 i = 0; i < m.words.length; i++) {
            if (m.words[i] == word) mask |= m.masks[i];
        }
    }

    function test_scopesOfTheVectorsSetTheirWords() public {
        uint256 found = 0;
        for (; _exists(scopes, found); found++) {
            bytes32 word = vm.parseJsonBytes32(scopes, _at(found, ".word"));
            vm.assertEq(_bits(alice, uint248(uint256(word))), 0);
            vm.prank(alice);
            registry.revokeScopes(_strings(vm.parseJsonString(scopes, _at(found, ".scope"))));
            vm.assertEq(_bits(alice, uint248(uint256(word))), 1);
            vm.assertEq(uint256(word) >> 247, 1);
        }
        vm.assertTrue(found >= 12);
    }

    function _revocation(uint256 i) private view returns (Signed memory m) {
        m.contributor = _address(i, "contributor");
        m.chainId = vm.parseJsonUint(messages, _at(i, ".typed_data.domain.chainId"));
        m.scopes = _texts(i, "scopes");
        m.masks = vm.parseJsonUintArray(messages, _field(i, "masks"));
        m.signature = vm.parseJsonBytes(messages, _at(i, ".signature"));
        m.words = vm.parseJsonUintArray(messages, _field(i, "words"));
    }

    /// @dev Puts the registry where the vector has it.
    function _place(uint256 i) private {
        address place =
            vm.parseJsonAddress(messages, _at(i, ".typed_data.domain.verifyingContract"));
        vm.etch(place, address(registry).code);
        registry = SaysoRegistry(place);
    }

    function _domain(uint256 i) private view returns (bytes32) {
        string memory domain = _at(i, ".typed_data.domain");
        uint256 chain = vm.parseJsonUint(messages, string.concat(domain, ".chainId"));
        address place = vm.parseJsonAddress(messages, string.concat(domain, ".verifyingContract"));
        return keccak256(abi.encode(DOMAIN_TYPE, keccak256("Sayso"), keccak256("1"), chain, place));
    }

    function _struct(uint256 i) private view returns (bytes32) {
        bytes memory head = abi.encode(
            CONSENT_TYPE,
            keccak256(bytes(_text(i, "notice"))),
            _address(i, "contributor"),
            keccak256(abi.encodePacked(vm.parseJsonAddressArray(messages, _field(i, "parties")))),
            _address(i, "grantee"),
            keccak256(bytes(_text(i, "via"))),
            _hash(i, "content")
        );
        bytes memory tail = abi.encode(
            _number(i, "items"),
            _hashed(_texts(i, "purposes")),
            _hash(i, "terms"),
            keccak256(bytes(_text(i, "termsUri"))),
            _address(i, "guardian"),
            _number(i, "issuedAt"),
            _number(i, "expiresAt")
        );
        bytes memory clocks = abi.encode(_number(i, "recheckHours"), _number(i, "removalDays"));
        return keccak256(bytes.concat(head, tail, clocks));
    }

    function _hashed(string[] memory texts) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; i++) {
            hashes[i] = keccak256(bytes(texts[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _signer(bytes32 digest, bytes memory signature) private pure returns (address) {
        (bytes32 r, bytes32 s) = (_part(signature, 0), _part(signature, 32));
        return ecrecover(digest, uint8(signature[64]), r, s);
    }

    function _part(bytes memory data, uint256 from) private pure returns (bytes32 part) {
        for (uint256 i = 0; i < 32; i++) {
            part |= bytes32(data[from + i]) >> (8 * i);
        }
    }

    function _address(uint256 i, string memory name) private view returns (address) {
        return vm.parseJsonAddress(messages, _field(i, name));
    }

    function _hash(uint256 i, string memory name) private view returns (bytes32) {
        return vm.parseJsonBytes32(messages, _field(i, name));
    }

    function _number(uint256 i, string memory name) private view returns (uint256) {
        return vm.parseJsonUint(messages, _field(i, name));
    }

    function _text(uint256 i, string memory name) private view returns (string memory) {
        return vm.parseJsonString(messages, _field(i, name));
    }

    function _texts(uint256 i, string memory name) private view returns (string[] memory) {
        return vm.parseJsonStringArray(messages, _field(i, name));
    }

    function _field(uint256 i, string memory name) private pure returns (string memory) {
        return _at(i, string.concat(".typed_data.message.", name));
    }

    function _exists(string memory json, uint256 i) private view returns (bool) {
        return vm.keyExistsJson(json, _at(i, ""));
    }

    function _at(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("$[", vm.toString(index), "]", field);
    }
}
