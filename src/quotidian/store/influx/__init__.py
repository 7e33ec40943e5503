"""Finished days and the contents of summaries in InfluxDB 2.x; the books stay in a directory of ours."""
