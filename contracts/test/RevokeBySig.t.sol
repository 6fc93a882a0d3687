// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";

contract RevokeBySigTest is RegistryTest {
    uint256 private constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// @dev The library hashes the domain in assembly; here Solidity does.
    function test_theDomainIsThatOfEveryMessage(uint256 chainId) public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Sayso"),
                keccak256("1"),
                chainId,
                address(registry)
            )
        );
        bytes32 empty = keccak256("");
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Revocation(string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks)"
                ),
                keccak256(
                    "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone."
                ),
                alice,
                empty,
                empty,
                empty
            )
        );
        Signed memory nothing =
            Signed(alice, chainId, new string[](0), new uint256[](0), new uint256[](0), "");
        vm.assertEq(_digest(nothing), keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function test_anybodyMayCarryASignature(address carrier, uint248 word, uint256 mask) public {
        Signed memory message = _signed("everything for resale", word >> 1, mask);
        vm.prank(carrier);
        _send(message);
        vm.assertEq(_bits(alice, word >> 1), mask);
        vm.assertEq(_bits(alice, _scopeWord("everything for resale")), 1);
        if (carrier != alice) vm.assertEq(_bits(carrier, word >> 1), 0);
    }

    /// @dev Any chain id is accepted on any chain, as long as it is the one that was signed.
    function test_oneSignatureServesEveryChain(uint256 signedOn, uint256 sentOn) public {
        vm.chainId(_chain(signedOn));
        Signed memory message = _signed("everything", 1, 1);
        vm.chainId(_chain(sentOn));
        _send(message);
        vm.assertEq(_bits(alice, 1), 1);
        message.chainId = message.chainId ^ 1;
        if (message.chainId != 0) _expectInvalid(message);
    }

    /// @dev The registry has one address on every chain; another contract is another domain.
    function test_aSignatureForAnotherRegistryIsNone() public {
        Signed memory message = _signed("everything", 1, 1);
        registry = new SaysoRegistry();
        _expectInvalid(message);
    }

    function test_chainIdsAreOneToTwoToThe53(uint256 wrong) public {
        uint256[4] memory ids = [uint256(0), 1 << 53, type(uint256).max, wrong | 1 << 53];
        for (uint256 i = 0; i < ids.length; i++) {
            Signed memory message = _unsigned(alice, "everything", 1, 1);
            message.chainId = ids[i];
            message.signature = _sign(KEY, _digest(message));
            vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.InvalidChainId.selector, ids[i]));
            _send(message);
        }
        Signed memory last = _unsigned(alice, "everything", 1, 1);
        last.chainId = (1 << 53) - 1;
        last.signature = _sign(KEY, _digest(last));
        _send(last);
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
            Signed(alice, 1, new string[](0), new uint256[](0), new uint256[](0), "");
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

    /// @dev Section 7, 12: nobody can set what is no word.
    function test_onlyWordsOfPermissionsAreSignedAsWords(uint256 word) public {
        word |= uint256(1 << 247);
        Signed memory message = _signed("", word, 1);
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.InvalidWord.selector, word));
        _send(message);
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
        (message.words, message.masks) = (new uint256[](65), new uint256[](65));
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.TooMany.selector, 65, 64));
        _send(message);
    }

    function _chain(uint256 any) private pure returns (uint256) {
        return any % ((1 << 53) - 1) + 1;
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
}
