"""The live reader of Google Cloud against a local server that answers in the real shapes."""
