"""Workers: processes for long Python over a caller's content."""
