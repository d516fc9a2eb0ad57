"""What a deployment offers to other constructs: the values of its outputs, as tokens."""

from __future__ import annotations

import re
from typing import Any, Final

from flowbridge.stacks.engine import Construct, engine
from flowbridge.stacks.pipeline import Built

_REFERENCE: Final = re.compile(r"\$\{(?P<type>\w+)\.(?P<name>[\w-]+)\.(?P<attribute>\w+)}")


class Exports(Construct):
    """Mixed into a deployment's firewall and stack."""

    built: Built

    def exported(self, output: str) -> dict[str, Any]:
        """The value of an output, by interface or by tier. KeyError where there is none such.

        References are tokens: they are good in other stacks of the app, too.
        """
        value: dict[str, Any] = self.built.lowered.terraform["output"][output]["value"]
        return {key: self._as_token(each) for key, each in value.items()}

    def _as_token(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._as_token(each) for each in value]
        reference = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if reference is None:
            return value
        id = f"{reference['type']}.{reference['name']}"  # noqa: A001
        handle = self.node.try_find_child(id)
        if handle is None:
            # Emits nothing: a name for a resource that the one fragment emits.
            handle = engine.TerraformElement(self, id, reference["type"])
            handle.override_logical_id(reference["name"])
        assert isinstance(handle, engine.TerraformElement)  # noqa: S101
        return engine.Token.as_string(engine.Fn.lookup(handle.fqn, reference["attribute"]))
