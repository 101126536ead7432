"""What things are: runs, tests, outcomes, streams, and what can go wrong. Standard library only."""
