"""The front door of time: what is due is done, once, also after downtime."""
