"""Where each field of an answer comes from: labels, quantities and words compared with what specialists found."""
