"""How the pipeline is: health of all services, an API for programs, one page for people."""
