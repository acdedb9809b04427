"""Upkeep: backups, and the deletion of a tenant's data."""
