"""Series of numbers for forecasts: `reading` finds tables, `columns` chooses the relevant columns, and `regular`
resamples them to equal steps."""
