"""What Quotidian costs, measured beside the figures that it is to beat. Run as ``python -m benchmarks``."""
