"""Tests in front of real LLM servers, on a CPU: `make test-extras`."""
