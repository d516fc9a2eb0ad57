"""Flow logs of the clouds, read into one relation; nothing here asks a cloud."""
