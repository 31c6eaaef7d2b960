"""One file per output, so that a new one is a new file: each turns a report into one document and returns its text."""
