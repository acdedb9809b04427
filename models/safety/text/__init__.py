"""What the embedded guard of texts is made of: readings, rules, and a trained head."""
