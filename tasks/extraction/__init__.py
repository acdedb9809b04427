"""Extracts the fields of a schema from the texts that were read, with the probability of each field and the evidence
for it."""
