"""The JSON answers are what their models, schemas and page say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from flowbridge.answer import AnswerName
from flowbridge.answers.contract import CONTRACTS, adapter, answer_schema, hold
from flowbridge.answers.page import models_of
from flowbridge.answers.publish import SCHEMAS, published
from flowbridge.cli import COMMANDS, flowbridge

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SITE = str(EXAMPLES / "emea-edge.yaml")
GOLDENS = sorted(
    path for path in (ROOT / "tests/golden").glob("*/*.json") if path.name != "cdk.tf.json"
)


def contract_of(golden: Path) -> AnswerName:
    data = json.loads(golden.read_text("utf-8"))
    if isinstance(data, dict) and "problems" in data and "deployments" not in data:
        return "refusal"
    known = {str(name): name for name in CONTRACTS}
    prefix = "catalog-" if golden.parent.name == "catalog" else ""
    return known[prefix + golden.stem.partition("-")[0]]


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_golden_keeps_its_contract(golden: Path) -> None:
    hold(contract_of(golden), golden.read_text("utf-8"))


@pytest.mark.parametrize(
    "name", ["rules", "explain-sip-tls", "trace-turn", "diff-medium", "exposure"]
)
def test_a_schema_takes_what_its_model_takes(name: str) -> None:
    golden = ROOT / f"tests/golden/emea-edge/{name}.json"
    data = json.loads(golden.read_text("utf-8"))
    sample = data[:20] if isinstance(data, list) else data
    jsonschema.validate(sample, answer_schema(contract_of(golden)))


def refused(answer: dict[str, Any]) -> bool:
    text = json.dumps(answer)
    with pytest.raises(ValidationError):
        hold("trace", text)
    validator = jsonschema.Draft202012Validator(answer_schema("trace"))
    return not validator.is_valid(answer)


def test_an_answer_with_another_key_type_or_word_breaks_its_contract() -> None:
    golden = ROOT / "tests/golden/emea-edge/trace-turn.json"
    answer = json.loads(golden.read_text("utf-8"))
    assert refused({**answer, "surprise": 1})
    assert refused({key: value for key, value in answer.items() if key != "rows"})
    assert refused({**answer, "rows": "expressway/11/5"})
    assert refused({**answer, "verdict": "maybe"})
    assert refused({**answer, "from": {"name": "internet"}})


def test_every_answer_has_a_contract_and_every_command_an_answer() -> None:
    assert set(get_args(AnswerName)) == set(CONTRACTS)
    asked = {name.partition("-")[0] for name in CONTRACTS if name != "refusal"}
    # The answer of `merge` is that of `check`.
    assert asked == {*COMMANDS} - {"schema", "opa", "merge"}
    assert all(model.__doc__ for c in CONTRACTS.values() for model in models_of(c.shape))


def test_what_is_published_is_what_the_models_say() -> None:
    """After a change: `make docs`."""
    files = {ROOT / path: text for path, text in published()}
    assert {path for path, text in files.items() if not path.is_file()} == set()
    assert [path.name for path, text in files.items() if path.read_text("utf-8") != text] == []
    assert {*(ROOT / SCHEMAS).iterdir()} <= {*files}


def test_a_schema_is_printed_as_it_is_published() -> None:
    printed = CliRunner().invoke(flowbridge, ["schema", "--answer", "explain"])
    assert printed.output == (ROOT / SCHEMAS / "explain.schema.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("catalog-list", "catalog list"),
        ("catalog-list", "catalog list mra"),
        ("catalog-show", "catalog show expressway/11/5"),
        ("catalog-notes", "catalog notes"),
        ("catalog-errata", "catalog errata"),
        ("catalog-features", "catalog features"),
        ("catalog-guide", "catalog guide"),
        ("catalog-editions", "catalog editions"),
        ("catalog-diff", "catalog diff X12.5 X15.0"),
        ("catalog-diff", "catalog diff 1.2 2.0"),
        ("catalog-validate", "catalog validate"),
        ("exposure", f"exposure {SITE} --from cucm"),
        ("report", f"report {SITE} -o -"),
        ("check", f"check {EXAMPLES / 'places/two-vpcs.yaml'}"),
        ("init", "init -o -"),
        ("synth", f"synth {SITE} -o OUT"),
        ("flows", f"flows {SITE}"),
        ("request", f"request {SITE} {EXAMPLES / 'edge-cluster.yaml'}"),
        ("refusal", "check no-such-file.yaml"),
    ],
)
def test_a_command_answers_by_its_contract(name: AnswerName, words: str, tmp_path: Path) -> None:
    asked = words.replace("OUT", str(tmp_path)).split()
    answer = CliRunner().invoke(flowbridge, [*asked, "--format", "json"])
    assert answer.exit_code == (2 if name == "refusal" else 0)
    hold(name, answer.stdout)


def test_the_export_is_the_rows_of_the_list() -> None:
    exported = CliRunner().invoke(flowbridge, ["catalog", "export", "--all"]).stdout
    hold("catalog-export", exported)
    assert adapter("catalog-list").validate_json(exported)
