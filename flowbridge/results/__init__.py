"""What a command found, as pipelines take it: SARIF, JUnit, annotations, a comment."""
