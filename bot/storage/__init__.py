"""What is remembered: SQLite through sqlite-utils, one writer thread, never on the event loop."""
