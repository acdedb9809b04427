"""Answers that are kept and given again: `recall` (and who shares one that is under way), `scope` (what makes two
requests the same), `recorded` (events as bytes), `readings` (what specialists read of a file), `verified`, `vetoes` and
`questions` (whether an answer may be given to other words)."""
