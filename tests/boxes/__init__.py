"""What starts from nothing: bare machines, the image, and the GPU box without a card, by podman."""
