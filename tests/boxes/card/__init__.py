"""The proof on a machine with a card: `tests/boxes/card/run`."""
