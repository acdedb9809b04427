"""Tests that take minutes: `make test-deep`."""
