"""What became of each request: outcomes, statistics, the journal, traces.  Local, and without code."""
