"""How documents, tables and requests write numbers, dates and currencies."""
