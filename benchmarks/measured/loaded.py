"""What a process loads as late as it can, loaded before anything is measured: detectors, and the insides of a store."""

from importlib import import_module

from quotidian.detect import detectors

detectors()
for _late in ("quotidian.store.backup.restoring", "quotidian.store.embedded.store", "astral.sun"):
    import_module(_late)
