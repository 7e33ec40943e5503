"""What runs in a fresh process: each module imports what it measures, and nothing else."""
