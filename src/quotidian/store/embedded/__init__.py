"""The default store: SQLite for what changes, one Parquet file for each day that is over."""
