"""The front door for machines: Slack's deliveries over HTTP, health and readiness."""
