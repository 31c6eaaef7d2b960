"""The command line: joins the parts, owns the clock, the terminal and the exit codes. One file per command."""
