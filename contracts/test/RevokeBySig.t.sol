// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";

contract RevokeBySigTest is RegistryTest {
    uint256 private constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_anybodyMayCarryASignature(address carrier, uint248 word, uint256 mask) public {
        Signed memory message = _signed("everything for resale", word >> 1, mask);
        vm.prank(carrier);
        _send(message);
        vm.assertEq(_bits(alice, word >> 1), mask);
        vm.assertEq(_bits(alice, _scopeWord("everything for resale")), 1);
        if (carrier != alice) vm.assertEq(_bits(carrier, word >> 1), 0);
    }

    function test_oneSignatureServesEveryContract() public {
        Signed memory message = _signed("everything", 1, 1);
        _send(message);
        registry = new SaysoRegistry();
        _send(message);
        vm.assertEq(_bits(alice, 1), 1);
    }

    function test_replayIsASilentNoOp() public {
        Signed memory message = _signed("everything", 1, 6);
        _send(message);
        vm.recordLogs();
        _send(message);
        vm.assertEq(_logCount(), 0);
        vm.assertEq(_bits(alice, 1), 6);
    }

    /// @dev What eth-account signed, an implementation that shares no code with this one.
    function test_signaturesFromOutsideAreAccepted() public {
        string memory json = vm.readFile("test/vectors.json");
        uint256 count = 0;
        for (; vm.keyExistsJson(json, _at(count, "")); count++) {
            Signed memory message = _vector(json, count);
            vm.assertEq(_digest(message), vm.parseJsonBytes32(json, _at(count, ".digest")));
            _send(message);
            _assertDone(message);
        }
        vm.assertEq(count, 5);
    }

    function test_everyFieldIsSigned(uint256 other) public {
        Signed memory message = _signed("everything", 1, 1);
        message.masks[0] = other == 1 ? 2 : other;
        _expectInvalid(message);
        message = _signed("everything", 1, 1);
        message.words[0] = 2;
        _expectInvalid(message);
        message = _signed("everything", 1, 1);
        message.scopes[0] = "via a.com";
        _expectInvalid(message);
        message = _signed("everything", 1, 1);
        message.contributor = address(0xB0B);
        _expectInvalid(message);
    }

    function test_emptyRevocationNeedsASignatureToo() public {
        Signed memory message =
            Signed(alice, new string[](0), new uint248[](0), new uint256[](0), "");
        _expectInvalid(message);
        message.signature = _sign(KEY, _digest(message));
        vm.recordLogs();
        _send(message);
        vm.assertEq(_logCount(), 0);
    }

    function test_highSIsRejected() public {
        Signed memory message = _signed("everything", 1, 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(message));
        message.signature =
            abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _expectInvalid(message);
    }

    function test_shortFormOfERC2098IsRejected() public {
        Signed memory message = _signed("everything", 1, 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(message));
        message.signature = abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
        _expectInvalid(message);
    }

    function test_zeroAddressNeverSigned(bytes memory garbage) public {
        Signed memory message = _unsigned(address(0), "everything", 1, 1);
        message.signature = garbage;
        _expectInvalid(message);
        message.signature = abi.encodePacked(bytes32(garbage), bytes32(garbage), uint8(27));
        if (_recover(message) == address(0)) _expectInvalid(message);
    }

    function test_scopeWordsAreNotSignedAsWords(uint248 word) public {
        word |= uint248(1 << 247);
        Signed memory message = _signed("", word, 1);
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.InvalidWord.selector, word));
        _send(message);
    }

    function test_aWordBeyond248BitsReverts() public {
        Signed memory message = _signed("", 1, 1);
        bytes memory call = abi.encodeCall(
            ISaysoRegistry.revokeBySig,
            (alice, message.scopes, message.words, message.masks, message.signature)
        );
        // Head of five words, empty scopes, then the length of words and its only word.
        uint256 offset = 4 + 5 * 32 + 32 + 32;
        call[offset] = 0x01;
        (bool done, bytes memory reason) = address(registry).call(call);
        vm.assertTrue(!done);
        vm.assertEq(reason.length, 0); // refused by the decoder, not for its signature
    }

    function test_wordsAndMasksArePairs() public {
        Signed memory message = _signed("everything", 1, 1);
        message.masks = new uint256[](2);
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.LengthMismatch.selector, 1, 2));
        _send(message);
    }

    function test_seventeenScopesAreTooMany() public {
        Signed memory message = _signed("", 1, 1);
        message.scopes = new string[](17);
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.TooMany.selector, 17, 16));
        _send(message);
    }

    function test_sixtyFiveWordsAreTooMany() public {
        Signed memory message = _signed("everything", 1, 1);
        (message.words, message.masks) = (new uint248[](65), new uint256[](65));
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.TooMany.selector, 65, 64));
        _send(message);
    }

    function _expectInvalid(Signed memory message) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISaysoRegistry.InvalidSignature.selector, message.contributor)
        );
        _send(message);
    }

    function _recover(Signed memory message) private view returns (address) {
        (bytes32 r, bytes32 s) = (bytes32(message.signature), bytes32(message.signature));
        return ecrecover(_digest(message), 27, r, s);
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
        uint256[] memory words = vm.parseJsonUintArray(json, _at(index, ".words"));
        m.words = new uint248[](words.length);
        for (uint256 i = 0; i < words.length; i++) {
            m.words[i] = uint248(words[i]);
        }
    }

    function _at(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("$[", vm.toString(index), "]", field);
    }
}
