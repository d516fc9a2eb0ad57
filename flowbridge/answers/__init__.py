"""The JSON answers of the command as typed models, one file for each: a contract with programs.

`flowbridge.answers.contract` has them by name. A program in Python reads an answer by its model:
`Trace.model_validate_json(text)`; for others there are the schemas below `schemas/answers/`.
"""
