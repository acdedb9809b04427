"""Devices: what computes engines, and the native libraries and runtimes for it."""
