// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Deploys a contract wallet by the factory that its signature names (ERC-6492)
/// @dev Never deployed itself: it is the code of a contract creation, does its work in the constructor
/// and leaves no code. So a factory, which may be anything, is called by a contract that is new, owns
/// nothing and is gone afterwards, and never by the account that pays (docs/adr/0015).
contract WalletDeployer {
    /// @notice The factory did not put code at `wallet`.
    error NotDeployed(address wallet);

    /// @dev Gas that a factory gets: as much as WalletProbe gives it.
    uint256 private constant FACTORY_GAS = 2_000_000;

    constructor(address wallet, address factory, bytes memory deployment) {
        if (wallet.code.length == 0) {
            // What it answers is not copied, and no matter: the code is looked for.
            assembly ("memory-safe") {
                pop(call(FACTORY_GAS, factory, 0, add(deployment, 32), mload(deployment), 0, 0))
            }
        }
        require(wallet.code.length != 0, NotDeployed(wallet));
        assembly ("memory-safe") {
            return(0, 0)
        }
    }
}
