"""Firewalls on the way: terms to each vendor's text (`emit`), and the text read (`meaning`)."""
