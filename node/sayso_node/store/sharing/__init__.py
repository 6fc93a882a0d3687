"""What the processes of one node share on a server, besides the store itself."""
