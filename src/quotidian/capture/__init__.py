"""The service that listens to Home Assistant: everything it says goes into the spool, and from there to enrich."""
