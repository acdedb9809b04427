"""Picture files through Pillow, as upright RGB."""
