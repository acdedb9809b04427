"""Hosts: where an engine is loaded and computes, in batches."""
