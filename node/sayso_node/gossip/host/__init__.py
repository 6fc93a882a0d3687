"""The hardened libp2p host. Nothing outside this folder names private parts of py-libp2p."""
