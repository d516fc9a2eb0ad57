"""Terms as the text that a firewall takes."""
