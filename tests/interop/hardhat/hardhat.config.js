// `hardhat node`: a chain by the rules of the OP Stack, with a block for each transaction.
export default {
  networks: { node: { type: "edr-simulated", chainType: "op", chainId: 31_337 } },
};
