// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISaysoRegistry} from "../src/ISaysoRegistry.sol";
import {SaysoRegistry} from "../src/SaysoRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {
    ApprovingWallet,
    BombWallet,
    MeddlingWallet,
    OwnedWallet,
    ShortWallet,
    SlowWallet,
    WalletFactory
} from "./support/Wallets.sol";

/// @dev What was considered against the registry, an entry a number. What an entry asks of nodes, or
/// what the registry has no longer, is said where its test would be. More of each is in the other files.
contract SecurityTest is RegistryTest {
    uint256 private constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant ERC6492 =
        0x6492649264926492649264926492649264926492649264926492649264926492;
    address private constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;
    bytes private constant DEPLOYER_CODE =
        hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";
    string private constant REVOCATION_TYPE =
        "Revocation(string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks)";
    string private constant NOTICE =
        "I take back what is listed here, now and for ever, wherever my signature counts. This cannot be undone.";

    /// @dev 1. With the 4,000,000 gas at which an uncapped question to the hog sinks all.
    function test_01_aGasHogAndAReturnBombDoNotSinkTheOthers() public {
        Signed[] memory list = _people(7);
        list[0] = _unsigned(address(new SlowWallet(type(uint256).max)), "everything", 1, 1);
        list[1] = _unsigned(address(new BombWallet(0)), "everything", 1, 1);
        bytes memory call = abi.encodeCall(ISaysoRegistry.relay, (_asItems(list)));
        (bool done,) = address(registry).call{gas: 4_000_000}(call);
        vm.assertTrue(done);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, 1), i < 2 ? 0 : 1);
        }
    }

    /// @dev 2. Its delegate knows no ERC-1271; the key signs all the same, and sends all the same.
    function test_02_aDelegatedKeyKeepsGaslessAndDirectRevocation() public {
        vm.etch(alice, abi.encodePacked(hex"ef0100", new ShortWallet()));
        _send(_signed("", 1, 1));
        vm.prank(alice);
        registry.revoke(1, 2);
        vm.assertEq(_bits(alice, 1), 3);
    }

    /// @dev 3. A relayer that sends too little hears so; the wallet is not called a liar.
    function test_03_aStarvedWalletIsNotARefusal() public {
        Signed memory message = _unsigned(address(new SlowWallet(590_000)), "", 1, 1);
        Signed[] memory list = new Signed[](1);
        list[0] = message;
        bytes memory relayed = abi.encodeCall(ISaysoRegistry.relay, (_asItems(list)));
        (bool done, bytes memory reason) = address(registry).call{gas: 100_000}(relayed);
        vm.assertTrue(!done && bytes4(reason) == ISaysoRegistry.TooLittleGas.selector);
        (done, reason) = address(registry).call{gas: 100_000}(_bySig(message));
        vm.assertTrue(!done && bytes4(reason) == ISaysoRegistry.TooLittleGas.selector);
        (done,) = address(registry).call{gas: 800_000}(relayed);
        vm.assertTrue(done);
        vm.assertEq(_bits(message.contributor, 1), 1);
    }

    /// @dev 4. A replay is a no-op. The registry accepts the same signature on other chains, and is meant
    /// to: one signature stops every chain. There is no epoch for it to be bound to.
    function test_04_aReplayChangesNothingAndTheSignatureHoldsOnEveryChain() public {
        Signed memory message = _signed("everything", 1, 1);
        _send(message);
        vm.recordLogs();
        _send(message);
        vm.assertEq(_logCount(), 0);
        message = _signed("everything for resale", 2, 1);
        vm.chainId(8_453);
        _send(message);
        vm.assertEq(_bits(alice, _scopeWord("everything for resale")), 1);
    }

    /// @dev 4. What was signed under a domain without chain and contract, which wallets refuse to show in
    /// full, or for another contract, revokes nothing.
    function test_04_aSignatureUnderAnotherDomainIsNone() public {
        bytes32 short = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version)"),
                keccak256("Sayso"),
                keccak256("1")
            )
        );
        _expectRefused(_typedDigest(short, NOTICE));
        _expectRefused(_typedDigest(_domainOf(address(this)), NOTICE));
    }

    /// @dev 5. One signature has one form.
    function test_05_highSIsNoSignature() public {
        Signed memory message = _signed("", 1, 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(message));
        message.signature = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v ^ 7); // 27 <-> 28
        _expectInvalid(message);
    }

    /// @dev 5. What ecrecover answers to nonsense is the zero address; it has not signed.
    function test_05_nonsenseIsNoSignatureOfTheZeroAddress() public {
        Signed memory message = _unsigned(address(0), "everything", 1, 1);
        message.signature = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        _expectInvalid(message);
    }

    /// @dev 5. Who sends an item first takes nothing from the relay it was copied from.
    function test_05_frontRunningAnItemDoesNotRevertTheRelay() public {
        Signed[] memory list = _people(3);
        vm.prank(address(0xBAD));
        _send(list[1]);
        _relay(list);
        for (uint256 i = 0; i < list.length; i++) {
            vm.assertEq(_bits(list[i].contributor, 1), 1);
        }
    }

    /// @dev 6. The observer becomes the submitter, which is why the submitter is no authority; the
    /// time can only become earlier.
    function test_06_frontRunningAnAnchorOnlyDatesItEarlier() public {
        vm.warp(100);
        vm.prank(address(0xBAD));
        registry.anchor("root");
        vm.warp(200);
        vm.prank(alice);
        registry.anchor("root");
        (address submitter,, uint48 time) = registry.anchorOf("root");
        vm.assertEq(submitter, address(0xBAD));
        vm.assertEq(uint256(time), 100);
    }

    /// @dev 7. Whatever a wallet tries while it is asked is undone: it is asked by a static call.
    function test_07_aWalletCannotReenter() public {
        MeddlingWallet wallet = new MeddlingWallet(registry);
        vm.recordLogs();
        _send(_unsigned(address(wallet), "", 2, 1));
        vm.assertEq(_logCount(), 1); // its own revocation
        vm.assertEq(_bits(address(wallet), 1), 0);
        (address submitter,,) = registry.anchorOf("meddled");
        vm.assertEq(submitter, address(0));
    }

    /// @dev 7. What a wallet accepts changes with its owners, so a signature can lapse before it is
    /// sent: nodes judge it at a stated block. What was set stays.
    function test_07_aLapsedSignatureSetsNothingAndTakesNothingBack() public {
        ApprovingWallet wallet = new ApprovingWallet();
        Signed memory message = _unsigned(address(wallet), "", 1, 1);
        wallet.approve(_digest(message));
        _send(message);
        wallet.approve(0);
        _expectInvalid(message);
        vm.assertEq(_bits(address(wallet), 1), 1);
    }

    /// @dev 8. The registry calls no factory (ERC-6492): the wallet is deployed first, by anybody, and
    /// then its own signature is enough.
    function test_08_theRegistryDeploysNoWallet() public {
        WalletFactory factory = new WalletFactory();
        bytes memory creation = abi.encodePacked(type(OwnedWallet).creationCode, abi.encode(alice));
        address wallet = _create2(address(factory), 0, keccak256(creation));
        Signed memory message = _unsigned(wallet, "everything", 1, 1);
        bytes memory own = _sign(KEY, _digest(message));
        bytes memory call = abi.encodeCall(WalletFactory.create, (alice));
        message.signature = bytes.concat(abi.encode(address(factory), call, own), ERC6492);
        _expectInvalid(message);
        vm.assertEq(wallet.code.length, 0);
        vm.assertEq(factory.create(alice), wallet);
        message.signature = own;
        _send(message);
        vm.assertEq(_bits(wallet, 1), 1);
    }

    /// @dev 9. Epochs were to be matched exactly, so that no consent could be signed for a later one.
    /// There are none any more: "everything" is a bit that no block, time or chain turns into another,
    /// and it covers consents to come. A second revocation finds nothing left to do.
    function test_09_everythingIsTheSameBitForEver(uint32 blocks, uint32 time, uint32 chain)
        public
    {
        Signed memory message = _signed("everything", 1, 1);
        _send(message);
        vm.roll(blocks);
        vm.warp(time);
        vm.chainId(uint256(chain) + 1);
        vm.recordLogs();
        _send(message);
        vm.assertEq(_logCount(), 0);
        vm.assertEq(_bits(alice, _scopeWord("everything")), 1);
    }

    /// @dev 10. A page that has people sign must show them the sentence: under another, it is nothing.
    function test_10_onlyTheSentenceThatSaysWhatHappensRevokes() public {
        bytes32 domain = _domainOf(address(registry));
        _expectRefused(_typedDigest(domain, "Click to claim your reward."));
        Signed memory message = _unsigned(alice, "everything", 1, 1);
        message.signature = _sign(KEY, _typedDigest(domain, NOTICE)); // what it is with the right one
        _send(message);
    }

    /// @dev 11. Ids used to be chosen by wallets, so that two devices could choose the same. A word
    /// now follows from what was agreed (rule 5.5), and is the contributor's own: a colliding one of
    /// somebody else is another slot.
    function test_11_aWordIsItsContributorsOwn(address other, uint248 word, uint256 mask) public {
        if (other == alice) other = address(0xB0B);
        vm.prank(other);
        registry.revoke(word, mask);
        vm.assertEq(_bits(alice, word), 0);
        vm.assertEq(_bits(other, word), mask);
    }

    /// @dev 12. No word beyond 248 bits reaches a slot, from a transaction or from a signature.
    function test_12_thereIsNoWordBeyond248Bits(uint256 word) public {
        word |= 1 << 248;
        (bool done,) = address(registry)
            .call(abi.encodeWithSelector(ISaysoRegistry.revoke.selector, word, uint256(1)));
        vm.assertTrue(!done);
        Signed memory message = _signed("", word, 1);
        vm.expectRevert(abi.encodeWithSelector(ISaysoRegistry.InvalidWord.selector, word));
        _send(message);
    }

    /// @dev 13. No owner, pause, proxy, fee or ether: the code has no instruction for them.
    function test_13_theCodeCannotCallCreateDelegateOrDestroy() public view {
        bytes memory code = address(registry).code;
        uint256 questions = 0;
        for (uint256 i = 0; i < code.length; i++) {
            uint8 op = uint8(code[i]);
            if (op >= 0x60 && op <= 0x7f) i += op - 0x5f; // what PUSH pushes
            if (op == 0xfa) questions++; // STATICCALL
            vm.assertTrue(op < 0xf0 || op == 0xf3 || op == 0xfa || op >= 0xfd && op != 0xff);
            vm.assertTrue(op != 0x32); // ORIGIN
        }
        vm.assertEq(questions, 2); // of ecrecover, and of a wallet
    }

    /// @dev 13. One address on every chain; the one that the bindings compute is in Python's tests.
    function test_13_theAddressIsTheSameOnEveryChain() public {
        vm.etch(DEPLOYER, DEPLOYER_CODE);
        vm.chainId(10);
        bytes memory code = type(SaysoRegistry).creationCode;
        bytes32 salt = keccak256("Sayso registry 1");
        (bool done,) = DEPLOYER.call(abi.encodePacked(salt, code));
        vm.assertTrue(done);
        address made = _create2(DEPLOYER, salt, keccak256(code));
        vm.assertEq(made, 0x7CB88a80A2aE66600416dEA6C02e22fC515F765A);
        vm.assertEq(made.code, address(registry).code);
    }

    /// @dev 14. A reorg is the nodes' affair: a consent counts at finality, a revocation once seen. The
    /// registry's part is that the same calls in another order, as another fork has them, end the same.
    function test_14_theOrderOfRevocationsDoesNotMatter(uint248 word, uint256 one, uint256 two)
        public
    {
        Signed memory signed = _signed("everything", word >> 1, two);
        vm.prank(alice);
        registry.revoke(word >> 1, one);
        _send(signed);
        uint256 bits = _bits(alice, word >> 1);
        registry = new SaysoRegistry();
        signed = _signed("everything", word >> 1, two);
        _send(signed);
        vm.prank(alice);
        registry.revoke(word >> 1, one);
        vm.assertEq(_bits(alice, word >> 1), bits);
        vm.assertEq(bits, one | two);
    }

    /// @dev 15. Nodes forget old receipts (EIP-4444), so who and when is for nodes to keep. What holds is
    /// state: its slot, in a layout that is part of the interface, proves presence and absence.
    function test_15_whatHoldsIsInStateAndNotInLogs(uint248 word, uint248 other) public {
        vm.prank(alice);
        registry.revoke(word, 5);
        vm.assertEq(uint256(vm.load(address(registry), _slot(alice, word))), 5);
        if (other == word) return;
        vm.assertEq(uint256(vm.load(address(registry), _slot(alice, other))), 0);
    }

    function _people(uint256 count) private view returns (Signed[] memory list) {
        list = new Signed[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = _unsigned(vm.addr(0xB0B + i), "", 1, 1);
            list[i].signature = _sign(0xB0B + i, _digest(list[i]));
        }
    }

    /// @dev What a wallet hashes for `_unsigned(alice, "everything", 1, 1)` under `domain` and `notice`.
    function _typedDigest(bytes32 domain, string memory notice) private view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(bytes(REVOCATION_TYPE)),
                keccak256(bytes(notice)),
                alice,
                keccak256(abi.encode(keccak256("everything"))),
                keccak256(abi.encode(1)),
                keccak256(abi.encode(1))
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _domainOf(address place) private view returns (bytes32) {
        string memory kind =
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        return keccak256(
            abi.encode(
                keccak256(bytes(kind)), keccak256("Sayso"), keccak256("1"), block.chainid, place
            )
        );
    }

    function _expectRefused(bytes32 digest) private {
        Signed memory message = _unsigned(alice, "everything", 1, 1);
        message.signature = _sign(KEY, digest);
        _expectInvalid(message);
    }

    function _slot(address contributor, uint248 word) private pure returns (bytes32) {
        return keccak256(abi.encode(word, keccak256(abi.encode(contributor, 1))));
    }

    function _create2(address deployer, bytes32 salt, bytes32 code) private pure returns (address) {
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", deployer, salt, code));
        return address(uint160(uint256(hash)));
    }

    function _expectInvalid(Signed memory message) private {
        vm.expectRevert(
            abi.encodeWithSelector(ISaysoRegistry.InvalidSignature.selector, message.contributor)
        );
        _send(message);
    }
}
