"""The page in a real browser. A package, so that one world and one browser serve all its tests."""
