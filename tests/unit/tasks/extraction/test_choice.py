"""The value that is chosen among the places of a field."""

LINE = "27 rue des Halles, 71740 Chauffreuil"
