"""A domain value becomes a message: words and blocks are in `templates/`, escaping and limits here."""
