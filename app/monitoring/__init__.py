"""Monitoring: metrics, traces, and the check of the servers that engines call."""
