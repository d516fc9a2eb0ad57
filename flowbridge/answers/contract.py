"""Every answer by its name: what it is held to, and its JSON Schema."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from flowbridge.answer import AnswerName
from flowbridge.answers.adopt import Adopt
from flowbridge.answers.audit import Audit
from flowbridge.answers.catalog import (
    CatalogDiff,
    CatalogIngest,
    CatalogShow,
    Document,
    Feature,
    GuideRule,
    ListedErratum,
    Note,
    Row,
    Table,
    Validate,
)
from flowbridge.answers.check import Check
from flowbridge.answers.diff import Diff
from flowbridge.answers.explain import Explain
from flowbridge.answers.exposure import Exposure, Outreach
from flowbridge.answers.firewall import Firewall
from flowbridge.answers.flow_list import Flow
from flowbridge.answers.judge import Judge
from flowbridge.answers.observe import Observe
from flowbridge.answers.refusal import Refusal
from flowbridge.answers.rehearse import Rehearse
from flowbridge.answers.request import Request
from flowbridge.answers.rules import Rule
from flowbridge.answers.trace import Trace
from flowbridge.answers.written import Init, Report, Synth
from flowbridge.catalog.schema import DIALECT


@dataclass(frozen=True, slots=True)
class Contract:
    """`command` is what asks for it; `shape` what it is (a model, a union, a list)."""

    command: str
    shape: Any


CONTRACTS: Final[dict[AnswerName, Contract]] = {
    "refusal": Contract("flowbridge …, bad input", Refusal),
    "check": Contract("flowbridge check FILE…", Check),
    "rules": Contract("flowbridge rules FILE", list[Rule]),
    "explain": Contract("flowbridge explain FILE", Explain),
    "trace": Contract("flowbridge trace FILE", Trace),
    "diff": Contract("flowbridge diff FILE", Diff),
    "exposure": Contract("flowbridge exposure FILE", Exposure | Outreach),
    "rehearse": Contract("flowbridge rehearse FILE…", Rehearse),
    "audit": Contract("flowbridge audit FILE…", Audit),
    "adopt": Contract("flowbridge adopt FILE", Adopt),
    "judge": Contract("flowbridge judge PLAN.json", Judge),
    "flows": Contract("flowbridge flows FILE…", list[Flow]),
    "request": Contract("flowbridge request OLD NEW", Request),
    "firewall": Contract("flowbridge firewall FILE", Firewall),
    "observe": Contract("flowbridge observe FILE", Observe),
    "init": Contract("flowbridge init", Init),
    "report": Contract("flowbridge report FILE", Report),
    "synth": Contract("flowbridge synth FILE…", Synth),
    "catalog-export": Contract("flowbridge catalog export", list[Row]),
    "catalog-list": Contract("flowbridge catalog list", list[Table] | list[Row]),
    "catalog-show": Contract("flowbridge catalog show ID", CatalogShow),
    "catalog-notes": Contract("flowbridge catalog notes", list[Note]),
    "catalog-errata": Contract("flowbridge catalog errata", list[ListedErratum]),
    "catalog-features": Contract("flowbridge catalog features", list[Feature]),
    "catalog-guide": Contract("flowbridge catalog guide", list[GuideRule]),
    "catalog-editions": Contract("flowbridge catalog editions", list[Document]),
    "catalog-diff": Contract("flowbridge catalog diff", CatalogDiff),
    "catalog-validate": Contract("flowbridge catalog validate", Validate),
    "catalog-ingest": Contract("flowbridge catalog ingest SOURCE", CatalogIngest),
}


@cache
def adapter(name: AnswerName) -> TypeAdapter[Any]:
    """What reads the answer of this name."""
    return TypeAdapter(CONTRACTS[name].shape)


def hold(name: AnswerName, text: str) -> None:
    """Hold the JSON of an answer to its contract. pydantic's ValidationError where it differs."""
    adapter(name).validate_json(text, strict=True)


def answer_schema(name: AnswerName) -> dict[str, Any]:
    """The JSON Schema of the answer of this name."""
    command = CONTRACTS[name].command
    return {
        "$schema": DIALECT,
        "$id": f"urn:flowbridge:schema:answers:{name}",
        "title": f"Flowbridge: the JSON answer of `{command}`",
        **_untitled(adapter(name).json_schema(by_alias=True, mode="validation")),
    }


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of names, which say nothing more than these."""

    def bare(part: Any, *, names: bool = False) -> Any:
        if isinstance(part, list):
            return [bare(each) for each in part]
        if not isinstance(part, dict):
            return part
        return {
            key: bare(value, names=key in ("properties", "$defs"))
            for key, value in part.items()
            if names or key != "title"
        }

    plain: dict[str, Any] = bare(schema)
    return plain


def answer_schema_text(name: AnswerName) -> str:
    """The schema as it is committed below `schemas/answers/`."""
    return json.dumps(answer_schema(name), indent=2, ensure_ascii=False) + "\n"
