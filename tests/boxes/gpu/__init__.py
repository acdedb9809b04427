"""The GPU box rehearsed without a card: docker-compose.yml and docker/gpu.yml by podman, `make box-gpu`."""
