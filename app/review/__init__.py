"""The review of a table: people accept or correct its doubtful fields on a page that this machine serves."""
