"""What a person runs: the command line, and how it speaks."""
