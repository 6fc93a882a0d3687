// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {
    ApprovingWallet,
    BombWallet,
    CostlyNo,
    ProxyWallet,
    ShortWallet,
    SlowWallet,
    WritingWallet
} from "./support/Wallets.sol";

/// @dev Revocations by accounts with code: ERC-1271 wallets and EIP-7702 delegated EOAs.
contract WalletTest is RegistryTest {
    bytes32 private constant MAGIC = bytes32(bytes4(0x1626ba7e));

    function test_aWalletRevokesWhatItApproved() public {
        ApprovingWallet wallet = new ApprovingWallet();
        Signed memory message = _unsigned(address(wallet), "everything", 1, 1);
        _expectInvalid(message);
        wallet.approve(_digest(message));
        _send(message);
        vm.assertEq(_bits(address(wallet), 1), 1);
        message.masks[0] = 2;
        _expectInvalid(message);
    }

    function test_aDelegatedKeyStillRevokes() public {
        address delegate = address(new ShortWallet());
        vm.etch(alice, abi.encodePacked(hex"ef0100", delegate));
        _send(_signed("everything", 1, 1));
        vm.assertEq(_bits(alice, 1), 1);
    }

    function test_aDelegateMayAnswerForTheAccount() public {
        vm.etch(alice, abi.encodePacked(hex"ef0100", new SlowWallet(0)));
        _send(_unsigned(alice, "everything", 1, 1));
        vm.assertEq(_bits(alice, 1), 1);
    }

    function test_anAccountWithoutCodeIsNotAsked() public {
        _expectInvalid(_unsigned(address(0xB0B), "everything", 1, 1));
    }

    function test_aPrecompileThatEchoesIsNoWallet() public {
        _expectInvalid(_unsigned(address(4), "everything", 1, 1));
        vm.etch(address(0xEC0), hex"365f5f37365ff3"); // returns its call data: magic, then digest
        _expectInvalid(_unsigned(address(0xEC0), "everything", 1, 1));
    }

    function test_fourBytesAreNoAnswer() public {
        _expectInvalid(_unsigned(address(new ShortWallet()), "everything", 1, 1));
    }

    /// @dev Writing in a static call burns all gas, which looks the same as running out.
    function test_aWalletCannotWriteWhileAsked() public {
        WritingWallet wallet = new WritingWallet();
        _expectRanOut(_unsigned(address(wallet), "everything", 1, 1));
        vm.assertEq(wallet.writes(), 0);
    }

    function test_aGasHogCostsNoMoreThanTheCap() public {
        Signed memory message =
            _unsigned(address(new SlowWallet(type(uint256).max)), "everything", 1, 1);
        uint256 before = gasleft();
        _expectRanOut(message);
        vm.assertTrue(before - gasleft() < 600_000 + 60_000);
    }

    function test_aReturnBombIsNotCopied() public {
        Signed memory message = _unsigned(address(new BombWallet(MAGIC)), "everything", 1, 1);
        uint256 before = gasleft();
        _send(message);
        vm.assertTrue(before - gasleft() < 600_000 + 90_000);
        _expectInvalid(_unsigned(address(new BombWallet(0)), "everything", 1, 1));
    }

    /// @dev With whatever gas it is called, a wallet that answers within its 600,000 is never taken
    /// for one that refuses: the call succeeds, reverts with TooLittleGas, or runs out of gas.
    function test_starvingIsNeverTakenForARefusal() public {
        address delegate = address(new SlowWallet(599_400));
        vm.etch(alice, abi.encodePacked(hex"ef0100", delegate));
        Signed memory message = _unsigned(alice, "everything", 1, 1);
        uint256 accepted = 0;
        for (uint256 gasLimit = 400_000; gasLimit < 760_000; gasLimit += 400) {
            (bool done, bytes memory reason) = _sendWith(gasLimit, message);
            vm.assertTrue(bytes4(reason) != ISaysoRegistry.InvalidSignature.selector);
            vm.assertTrue(bytes4(reason) != ISaysoRegistry.WalletRanOut.selector);
            if (done) accepted++;
        }
        vm.assertTrue(accepted > 0);
    }

    function test_aWrongSignatureIsNamedEvenWithLittleGas() public {
        (bool done, bytes memory reason) =
            _sendWith(100_000, _unsigned(address(0xB0B), "everything", 1, 1));
        vm.assertTrue(!done);
        vm.assertTrue(bytes4(reason) == ISaysoRegistry.InvalidSignature.selector);
    }

    /// @dev A wallet behind proxies: whoever calls it survives with a 64th of the gas, and answers no.
    function test_runningOutInsideIsNotARefusalEither() public {
        address wallet = address(new SlowWallet(type(uint256).max));
        for (uint256 depth = 0; depth < 5; depth++) {
            _expectRanOut(_unsigned(wallet, "everything", 1, 1));
            wallet = address(new ProxyWallet(wallet));
        }
    }

    /// @dev The same proxies before a wallet that says no, with half of its gas: that is a refusal.
    function test_aWalletThatSaysNoHasRefused() public {
        address wallet = address(new CostlyNo(300_000));
        for (uint256 depth = 0; depth < 5; depth++) {
            _expectInvalid(_unsigned(wallet, "everything", 1, 1));
            wallet = address(new ProxyWallet(wallet));
        }
    }

    /// @dev 231,837 and 437,857 gas: passkeys without the precompile of P-256, as they were measured.
    function test_passkeysWithoutAPrecompileAreHeard() public {
        _send(_unsigned(address(new SlowWallet(231_837)), "everything", 1, 1));
        _send(_unsigned(address(new SlowWallet(437_857)), "everything", 1, 1));
    }

    function _expectRanOut(Signed memory message) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISaysoRegistry.WalletRanOut.selector, message.contributor)
        );
        _send(message);
    }

    function _sendWith(uint256 gasLimit, Signed memory m) private returns (bool, bytes memory) {
        return address(registry).call{gas: gasLimit}(_bySig(m));
    }

    function _expectInvalid(Signed memory message) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISaysoRegistry.InvalidSignature.selector, message.contributor)
        );
        _send(message);
    }
}
