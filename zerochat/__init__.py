"""What stands behind the pages in the root: a folder for each wing, and four modules that every wing may import.

Nothing here imports a page; `tests/test_house.py` holds the rule."""
