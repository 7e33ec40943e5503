"""A store as one file: an archive that is taken while the store works, checked, and put in a store's place again."""
