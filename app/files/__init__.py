"""Stores uploaded files. `store` keeps each file for its owner alone, in the folder or bucket that `storage` opens."""
