// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {WalletDeployer} from "../src/WalletDeployer.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {BurningWallet, OwnedWallet, RevertingWallet, WalletFactory} from "./support/Wallets.sol";

/// @dev Notes who called it.
contract CuriousFactory is WalletFactory {
    address public caller;

    function create(address owner) public override returns (address) {
        caller = msg.sender;
        return super.create(owner);
    }
}

/// @dev A wallet that does not exist is deployed, whatever its factory is.
contract WalletDeployerTest is RegistryTest {
    function test_aWalletIsDeployedAndNothingElseIsLeft() public {
        address factory = address(new WalletFactory());
        address wallet = _walletOf(factory);
        vm.assertEq(wallet.code.length, 0);
        address deployer = address(new WalletDeployer(wallet, factory, _create()));
        vm.assertTrue(wallet.code.length != 0);
        vm.assertEq(deployer.code.length, 0);
    }

    function test_onceItExistsItsFactoryIsLeftAlone() public {
        CuriousFactory factory = new CuriousFactory();
        new WalletDeployer(address(new OwnedWallet(alice)), address(factory), _create());
        vm.assertEq(factory.caller(), address(0));
    }

    function test_theFactoryIsNotCalledByWhoPays() public {
        CuriousFactory factory = new CuriousFactory();
        address wallet = _walletOf(address(factory));
        address deployer = address(new WalletDeployer(wallet, address(factory), _create()));
        vm.assertEq(factory.caller(), deployer);
        vm.assertTrue(deployer != address(this));
    }

    function test_aFactoryThatDeploysNothingIsAnError() public {
        address wallet = address(0xB0B);
        bytes memory error_ = abi.encodeWithSelector(WalletDeployer.NotDeployed.selector, wallet);
        address[4] memory factories = [
            address(new RevertingWallet()),
            address(new BurningWallet()),
            address(new WalletFactory()), // of another wallet
            address(0xFAC) // is none
        ];
        for (uint256 i = 0; i < factories.length; i++) {
            (bool done, bytes memory reason) = _try(wallet, factories[i], _create());
            vm.assertTrue(!done);
            vm.assertEq(keccak256(reason), keccak256(error_));
        }
    }

    function test_aFactoryThatBurnsAllItGetsCostsNoMoreThanTheCap() public {
        address factory = address(new BurningWallet());
        uint256 before = gasleft();
        _try(address(0xB0B), factory, _create());
        vm.assertTrue(before - gasleft() < 2_000_000 + 100_000);
    }

    function create(address wallet, address factory, bytes calldata deployment) external {
        new WalletDeployer(wallet, factory, deployment);
    }

    function _try(address wallet, address factory, bytes memory deployment)
        private
        returns (bool, bytes memory)
    {
        return address(this).call(abi.encodeCall(this.create, (wallet, factory, deployment)));
    }

    function _create() private view returns (bytes memory) {
        return abi.encodeCall(WalletFactory.create, (alice));
    }

    function _walletOf(address factory) private view returns (address) {
        bytes memory code = abi.encodePacked(type(OwnedWallet).creationCode, abi.encode(alice));
        return address(
            uint160(
                uint256(
                    keccak256(abi.encodePacked(bytes1(0xff), factory, bytes32(0), keccak256(code)))
                )
            )
        );
    }
}
