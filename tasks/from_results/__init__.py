"""Fills fields of a schema without a document: from results of specialists, and from the user's own words."""
