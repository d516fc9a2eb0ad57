"""A YAML file read into a pydantic model, every fault with its line, key and what to write.

Used for the catalog's own files and for everything a user writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from flowbridge.catalog.reading.kept_yaml import is_ours, read_kept
from flowbridge.catalog.reading.located_yaml import (
    BadFileError,
    Data,
    LocatedYaml,
    Location,
    Problem,
    read_yaml,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model]) -> Model:
    """Read the file at `path` as a `model`. Raises BadFileError with all faults at once."""
    if is_ours(path):
        # With a fault it is read again, for the lines.
        with suppress(ValidationError):
            return model.model_validate(read_kept(path))
    return as_model(read_yaml(path), model)


def as_model(located: LocatedYaml, model: type[Model]) -> Model:
    """The data of a file as a `model`. Raises BadFileError with all faults at once."""
    if located.data is None:
        raise BadFileError([Problem(located.file, None, "", "the file is empty")])
    if not isinstance(located.data, dict):
        message = f"write keys and values here; known keys: {', '.join(_keys(model))}"
        raise BadFileError([Problem(located.file, 1, "", message)])
    try:
        return model.model_validate(located.data)
    except ValidationError as error:
        raise BadFileError(problems(located, model, error)) from None


def problems(located: LocatedYaml, model: type[BaseModel], error: ValidationError) -> list[Problem]:
    """What pydantic found, in the file's own terms, in the order of the file."""
    found: dict[tuple[str, str], Problem] = {}
    faults = error.errors(include_url=False)
    for details in faults:
        if details["type"] == "too_short" and _is_consequence(details, faults):
            continue
        location = _in_file(located.data, details)
        problem = located.problem(location, _message(details, location, model))
        found.setdefault((problem.key, problem.message), problem)
    return sorted(found.values(), key=lambda problem: problem.line or 0)


def _is_consequence(details: ErrorDetails, faults: list[ErrorDetails]) -> bool:
    """Whether a list is too short only because its items are faulty themselves."""
    size = len(details["loc"])
    return any(f["loc"][:size] == details["loc"] and len(f["loc"]) > size for f in faults)


def _in_file(data: Data, details: ErrorDetails) -> Location:
    """Pydantic's location without the names of union members, which no file contains."""
    location: list[str | int] = []
    here: Data = data
    parts = details["loc"]
    for index, part in enumerate(parts):
        if isinstance(here, dict) and part in here:
            here = here[str(part)]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        elif not (index == len(parts) - 1 and details["type"] == "missing"):
            continue
        location.append(part)
    return tuple(location)


def _message(details: ErrorDetails, location: Location, model: type[BaseModel]) -> str:
    match details["type"]:
        case "missing":
            return "this key is missing; write it"
        case "extra_forbidden":
            known = _keys(_model_at(model, location[:-1]))
            near = get_close_matches(str(location[-1]), known, n=1)
            if details["input"] is None and not _is_word(str(location[-1])):
                # {addresses: 10.0.0.1, 10.0.0.2}: YAML takes the second one for a key.
                return "this is a value without a key; a list stands in brackets: [one, another]"
            if near:
                return f"this key is unknown; did you mean {near[0]!r}?"
            return f"this key is unknown; known keys: {', '.join(known)}"
        case "value_error":
            return details["msg"].removeprefix("Value error, ")
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{_shown(details['input'])} stands here; write keys and values"
        case "literal_error" | "enum":
            return f"{_shown(details['input'])} is not known here; {_choices(details)}"
        case kind if kind in _INSTEAD:
            return _INSTEAD[kind].format(given=_shown(details["input"]), **details.get("ctx", {}))
        case _:
            message = details["msg"].removeprefix("Input ")
            return f"{_shown(details['input'])} does not fit: it {message}"


# What to write in the place of a value of the wrong type or size, by pydantic's error type.
_INSTEAD: Final = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "{given}: write a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "{given}: write true or false"),
    **dict.fromkeys(("tuple_type", "list_type"), "{given}: write a list, such as [one, another]"),
    "string_type": "{given}: write text, in quotes where it looks like a number",
    "too_short": "at least {min_length} entry is needed here; write it",
    "too_long": "at most {max_length} entries are taken here, and there are {actual_length}",
    "string_too_short": "{given} is too short; write at least {min_length} characters",
    "greater_than_equal": "{given} is too small; write at least {ge}",
    "less_than_equal": "{given} is too large; write at most {le}",
}


def _choices(details: ErrorDetails) -> str:
    """The value that was meant, or all there are."""
    expected = details.get("ctx", {}).get("expected", "")
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    given = details["input"]
    if isinstance(given, str) and given in choices and f"'{given}'" not in expected:
        return f"write {given}, without quotes"
    near = get_close_matches(str(given), choices, n=1)
    return f"did you mean {near[0]!r}?" if near else f"write {expected}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()  # as it is written in the file
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def has_key(model: type[BaseModel], location: Location) -> bool:
    """Whether the model knows the key at `location`."""
    parent = _model_at(model, location[:-1])
    return parent is not None and bool(location) and str(location[-1]) in _keys(parent)


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that reads the mapping at `location`; None where it is not one."""
    here: Any = model
    for part in location:
        here = _step(here, part)
    return next((kind for kind in _members(here) if _is_model(kind)), None)


def _step(annotation: Any, part: str | int) -> Any:
    """The type of what stands under the key or index `part` of a value of type `annotation`."""
    for kind in _members(annotation):
        if _is_model(kind):
            for name, field in kind.model_fields.items():
                if part == (field.alias or name):
                    return field.annotation
        elif get_origin(kind) in (dict, Mapping):
            return get_args(kind)[1]
        elif get_origin(kind) in (tuple, list):
            return get_args(kind)[0]
    return None


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union; the type itself where it is none."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    else:
        yield annotation


def _is_word(key: str) -> bool:
    return key.replace("-", "_").isidentifier()


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
