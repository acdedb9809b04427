"""A request under `<guard>`: what is judged of it and of its answer, and personal data taken out."""
