"""Uploaded files: `store` keeps each as its owner's alone, in the folder or bucket that `storage` reaches."""
