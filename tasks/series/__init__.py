"""Series of numbers for forecasts: `reading` finds tables, `columns` what is meant in them, and `regular` brings it to
equal steps."""
