"""The benchmark: `make bench` measures the platform against small honest programs (README.md)."""
