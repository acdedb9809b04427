"""The command `openfaze`: serve, doctor, pull, install, guard explain."""
