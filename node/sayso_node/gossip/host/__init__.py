"""The hardened libp2p host; no code outside this folder uses private names of py-libp2p."""
