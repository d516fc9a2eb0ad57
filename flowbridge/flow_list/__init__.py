"""Flow lists and change requests as people and spreadsheets take them."""
