"""How well the ten detectors do on simulated homes, whose truth is known: ``python -m benchmarks.accuracy``."""
