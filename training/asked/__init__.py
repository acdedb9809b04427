"""Messages with the names of the values that they ask for, and the fit of the model that finds them."""
