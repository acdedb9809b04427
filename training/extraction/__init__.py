"""Documents made to train, validate and test what reads fields out of documents."""
