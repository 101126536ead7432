"""`python -m bot` is `rundown`."""

from bot.cli import main

main()
