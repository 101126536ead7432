"""The front door for people: one feature a file; words become commands here, and commands become answers."""
