"""What a firewall lets through, read from its text alone."""
