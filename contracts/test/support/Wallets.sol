// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ISaysoRegistry} from "../../src/ISaysoRegistry.sol";

/// @dev Accepts one digest, whatever the signature says.
contract ApprovingWallet is IERC1271 {
    bytes32 public approved;

    function approve(bytes32 digest) external {
        approved = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == approved ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Accepts everything, after burning about `burn` gas.
contract SlowWallet is IERC1271 {
    uint256 private immutable BURN;

    constructor(uint256 burn) {
        BURN = burn;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 stop = gasleft() > BURN ? gasleft() - BURN : 0;
        while (gasleft() > stop) {}
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev Refuses everything, after burning about `burn` gas.
contract CostlyNo is IERC1271 {
    uint256 private immutable BURN;

    constructor(uint256 burn) {
        BURN = burn;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 stop = gasleft() > BURN ? gasleft() - BURN : 0;
        while (gasleft() > stop) {}
        return bytes4(0xffffffff);
    }
}

/// @dev Asks another wallet, and says no when that one fails: as a proxy with a careful owner.
contract ProxyWallet is IERC1271 {
    address private immutable INSIDE;

    constructor(address inside) {
        INSIDE = inside;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        try IERC1271(INSIDE).isValidSignature(digest, signature) returns (bytes4 answer) {
            return answer;
        } catch {
            return bytes4(0xffffffff);
        }
    }
}

/// @dev Returns as many bytes as its gas affords, the first 32 of them being `first`.
contract BombWallet {
    bytes32 private immutable FIRST;

    constructor(bytes32 first) {
        FIRST = first;
    }

    fallback() external {
        bytes32 first = FIRST;
        assembly {
            mstore(0, first)
            return(0, 420000)
        }
    }
}

/// @dev Answers with four bytes only: no bytes4 of the ABI.
contract ShortWallet {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 4)
        }
    }
}

/// @dev Tries to change state while it is asked.
contract WritingWallet is IERC1271 {
    uint256 public writes;

    fallback() external {
        writes++;
        bytes32 answer = bytes32(IERC1271.isValidSignature.selector);
        assembly {
            mstore(0, answer)
            return(0, 32)
        }
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        (bool written,) = address(this).staticcall("");
        return written ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @dev Accepts everything, after trying to revoke and to anchor in the registry that asks.
contract MeddlingWallet {
    ISaysoRegistry private immutable REGISTRY;

    constructor(ISaysoRegistry registry) {
        REGISTRY = registry;
    }

    fallback() external {
        (bool one,) =
            address(REGISTRY).call{gas: 30_000}(abi.encodeCall(ISaysoRegistry.revoke, (1, 1)));
        (bool two,) =
            address(REGISTRY).call{gas: 30_000}(abi.encodeCall(ISaysoRegistry.anchor, ("meddled")));
        bytes32 answer = one || two ? bytes32(0) : bytes32(IERC1271.isValidSignature.selector);
        assembly {
            mstore(0, answer)
            return(0, 32)
        }
    }
}

/// @dev Accepts what its owner signed by ECDSA.
contract OwnedWallet is IERC1271 {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        bool right = signature.length == 65
            && ecrecover(
                    digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])
                ) == OWNER;
        return right ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Creates wallets at addresses that follow from their owners.
contract WalletFactory {
    function create(address owner) public virtual returns (address) {
        return address(new OwnedWallet{salt: 0}(owner));
    }
}

/// @dev Has no answer but a revert, or, as a factory, creates nothing.
contract RevertingWallet {
    fallback() external {
        revert();
    }
}

/// @dev Burns all it gets, also as a factory.
contract BurningWallet {
    fallback() external {
        while (true) {}
    }
}

/// @dev Creates wallets until it has money.
contract FickleFactory is WalletFactory {
    function create(address owner) public override returns (address) {
        return address(this).balance == 0 ? super.create(owner) : address(0);
    }
}

/// @dev A wallet of several owners, as companies use: a call is carried out once `threshold` of them want it.
contract SharedWallet {
    uint256 private immutable THRESHOLD;
    mapping(address => bool) private owns;
    mapping(bytes32 => uint256) private wanted;
    mapping(bytes32 => mapping(address => bool)) private wants;

    constructor(address[] memory owners, uint256 threshold) {
        THRESHOLD = threshold;
        for (uint256 i = 0; i < owners.length; i++) {
            owns[owners[i]] = true;
        }
    }

    function confirm(address to, bytes calldata data) external {
        bytes32 call = keccak256(abi.encode(to, data));
        require(owns[msg.sender] && !wants[call][msg.sender], "not yours");
        wants[call][msg.sender] = true;
        if (++wanted[call] == THRESHOLD) {
            (bool done,) = to.call(data);
            require(done, "refused");
        }
    }
}
