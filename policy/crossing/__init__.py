"""What passes through a firewall between two zones: both ends of a packet count."""
