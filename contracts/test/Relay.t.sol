// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Vm} from "./support/Vm.sol";
import {ApprovingWallet, BombWallet, SlowWallet} from "./support/Wallets.sol";

/// @dev Many signers in one transaction: what is wrong with one of them hinders nobody.
contract RelayTest is RegistryTest {
    bytes32 private constant MAGIC = bytes32(bytes4(0x1626ba7e));

    function test_eachSignerGetsWhatHeSigned(uint8 count, uint256 mask) public {
        Signed[] memory list = _people(count % 20);
        for (uint256 i = 0; i < list.length; i++) {
            list[i].masks[0] = mask;
            list[i].signature = _sign(0xB0B + i, _digest(list[i]));
        }
        _relay(list);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, i), mask);
        }
    }

    function test_anEmptyRelayDoesNothing() public {
        vm.recordLogs();
        _relay(new Signed[](0));
        vm.assertEq(_logCount(), 0);
    }

    function test_aBadItemIsSkippedWithItsReason(uint8 which) public {
        Signed[] memory list = _people(5);
        uint256 bad = which % list.length;
        list[bad].masks[0] = 77;
        vm.recordLogs();
        _relay(list);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, list.length);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, i), i == bad ? 0 : 1);
        }
        bytes memory reason =
            abi.encodeWithSelector(ISaysoRegistry.InvalidSignature.selector, list[bad].contributor);
        _assertRejected(logs[bad], bad, list[bad].contributor, reason);
    }

    /// @dev Whatever revokeBySig would revert with is the reason of a rejection, word for word.
    function test_everyReasonIsThatOfRevokeBySig() public {
        Signed[] memory list = _people(7);
        list[5].chainId = 0;
        list[6] = _unsigned(address(new SlowWallet(type(uint256).max)), "", 1, 1);
        list[0].masks = new uint256[](2);
        list[1].scopes = new string[](17);
        (list[2].words, list[2].masks) = (new uint256[](65), new uint256[](65));
        list[3].words[0] = 1 << 247;
        list[4].signature = "";
        vm.recordLogs();
        _relay(list);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, list.length);
        for (uint256 i = 0; i < list.length; i++) {
            (bool done, bytes memory reason) = address(registry).call(_bySig(list[i]));
            vm.assertTrue(!done && reason.length >= 4);
            _assertRejected(logs[i], i, list[i].contributor, reason);
        }
    }

    function test_aWordBeyond248BitsRejectsItsItemAlone() public {
        Signed[] memory list = _people(2);
        list[0].words[0] = 1 << 250;
        list[0].signature = _sign(0xB0B, _digest(list[0]));
        _relay(list);
        vm.assertEq(_bits(list[0].contributor, 0), 0);
        vm.assertEq(_bits(list[1].contributor, 1), 1);
    }

    /// @dev Runs of equal chain ids share the hash of their domain: in any order, each has its own.
    function test_eachItemIsUnderItsOwnChainId(uint64 seed) public {
        Signed[] memory list = _people(8);
        for (uint256 i = 0; i < list.length; i++) {
            list[i].chainId = seed >> (4 * i) & 3; // 0 is none
            list[i].signature = _sign(0xB0B + i, _digest(list[i]));
        }
        _relay(list);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, i), list[i].chainId == 0 ? 0 : 1);
        }
    }

    function test_aChainIdThatWasNotSignedRejectsItsItemAlone() public {
        Signed[] memory list = _people(3);
        list[1].chainId++;
        _relay(list);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, i), i == 1 ? 0 : 1);
        }
    }

    function test_aRepeatIsSilent() public {
        Signed[] memory list = _people(3);
        _relay(list);
        vm.recordLogs();
        _relay(list);
        vm.assertEq(_logCount(), 0);
    }

    function test_anItemThatSomebodySentFirstHindersNobody() public {
        Signed[] memory list = _people(3);
        _send(list[1]);
        _relay(list);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, i), 1);
        }
    }

    function test_aGasHogAndAReturnBombLeaveTheOthersTheirs() public {
        Signed[] memory good = _people(5);
        Signed[] memory list = new Signed[](7);
        list[0] = _unsigned(address(new SlowWallet(type(uint256).max)), "everything", 1, 1);
        list[1] = _unsigned(address(new BombWallet(0)), "everything", 1, 1);
        for (uint256 i = 0; i < good.length; i++) {
            list[2 + i] = good[i];
        }
        _relay(list);
        for (uint256 i = 0; i < good.length; i++) {
            vm.assertEq(_bits(good[i].contributor, i), 1);
        }
        vm.assertEq(_bits(list[0].contributor, 1), 0);
        vm.assertEq(_bits(list[1].contributor, 1), 0);
    }

    function test_walletsAndDelegatedKeysMayBeAmongThem() public {
        ApprovingWallet wallet = new ApprovingWallet();
        Signed[] memory list = _people(3);
        list[0] = _unsigned(address(wallet), "everything", 1, 1);
        wallet.approve(_digest(list[0]));
        vm.etch(list[1].contributor, abi.encodePacked(hex"ef0100", address(new BombWallet(0))));
        _relay(list);
        vm.assertEq(_bits(address(wallet), 1), 1);
        vm.assertEq(_bits(list[1].contributor, 1), 1);
    }

    /// @dev Too little gas to ask a wallet is the relayer's fault: nothing is rejected for it.
    function test_aStarvedRelayRevertsAndRejectsNobody() public {
        vm.etch(alice, abi.encodePacked(hex"ef0100", address(new SlowWallet(599_400))));
        Signed[] memory list = new Signed[](1);
        list[0] = _unsigned(alice, "everything", 1, 1);
        bytes memory call = abi.encodeCall(ISaysoRegistry.relay, (_asItems(list)));
        uint256 accepted = 0;
        for (uint256 gasLimit = 400_000; gasLimit < 760_000; gasLimit += 800) {
            vm.recordLogs();
            (bool done,) = address(registry).call{gas: gasLimit}(call);
            Vm.Log[] memory logs = vm.getRecordedLogs();
            for (uint256 i = 0; done && i < logs.length; i++) {
                vm.assertTrue(logs[i].topics[0] != ISaysoRegistry.Rejected.selector);
            }
            if (done) accepted++;
        }
        vm.assertTrue(accepted > 0);
    }

    function test_aWalletThatAnswersWithMagicIsBelievedWhateverItReturns() public {
        Signed[] memory list = new Signed[](1);
        list[0] = _unsigned(address(new BombWallet(MAGIC)), "everything", 1, 1);
        _relay(list);
        vm.assertEq(_bits(list[0].contributor, 1), 1);
    }

    function _people(uint256 count) private view returns (Signed[] memory list) {
        list = new Signed[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = _unsigned(vm.addr(0xB0B + i), "", i, 1);
            list[i].signature = _sign(0xB0B + i, _digest(list[i]));
        }
    }

    function _assertRejected(Vm.Log memory log, uint256 index, address who, bytes memory reason)
        private
        pure
    {
        vm.assertTrue(log.topics[0] == ISaysoRegistry.Rejected.selector);
        vm.assertTrue(log.topics[1] == bytes32(uint256(uint160(who))));
        (uint256 place, bytes memory why) = abi.decode(log.data, (uint256, bytes));
        vm.assertEq(place, index);
        vm.assertTrue(keccak256(why) == keccak256(reason));
    }
}
