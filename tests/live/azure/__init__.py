"""The live reader of Azure against a local server that answers in the real shapes."""
