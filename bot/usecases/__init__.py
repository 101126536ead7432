"""What the bot does, one verb a file. No third-party library, no clock, no environment."""
