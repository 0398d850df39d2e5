"""A rule file with a mistake is refused with its file, its line and what to do."""

from __future__ import annotations

import pytest

from truepenny.guard.errors import GuardError
from truepenny.guard.safety.errors import RuleError
from truepenny.guard.safety.loading import load_facts, load_folder, load_rules

RULE = """\
id: eval-it
cwe: CWE-95
severity: block
message: It evals.
fix: Do not.
rule: eval($X)
bad:
  - eval(x)
  - eval(y)
good:
  - f(x)
  - g(x)
"""


def written(tmp_path, text: str, name: str = "one.yml"):
    folder = tmp_path / "python"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_sound_rule(tmp_path):
    (rule,) = load_rules(written(tmp_path, RULE))
    assert (rule.id, rule.languages, rule.severity) == ("python/eval-it", ("python",), "block")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("severity: block", "severity: high", 3, "write block or warn"),
        ("cwe: CWE-95", "cwe: 95", 2, "CWE-89"),
        ("fix: Do not.\n", "", 1, "add it"),
        ("fix: Do not.", "fix: Do: not.", 5, "quote text"),
        ("id: eval-it", "id: Eval It", 1, "lower-case"),
        ("rule: eval($X)", "rule: { patern: eval($X) }", 6, "unknown field `patern`"),
        ("rule: eval($X)", "rule: { kind: nope }", 6, "nope"),
        ("rule: eval($X)", "rule: eval($X)\nsinks: [f($TAINT)]", 1, "either"),
        ("rule: eval($X)", "sinks:\n  - f($TAINT)", 6, "sources"),
        ("rule: eval($X)", "sources: [remot]\nsinks:\n  - f($TAINT)", 6, "the labels are"),
        ("rule: eval($X)", "rule: eval($X)\ncontext: '('", 7, "regular expression"),
        ("rule: eval($X)", "rule: eval($X)\nlanguages: [pyhton]", 7, "no language"),
        ("rule: eval($X)", "rule: eval($X)\nsinc: x", 7, "the keys are"),
        ("  - eval(y)\n", "", 7, "at least 2"),
        ("  - eval(y)\n", "  - 7\n", 9, "is not text"),
        ("fix: Do not.", "fix: [", 7, "YAML"),
        ("fix: Do not.", "fix: 'Do not.", 13, "YAML"),
        ("cwe: CWE-95", "cwe: CWE-XSS", 2, "CWE-89"),
        ("rule: eval($X)", "rule: eval($X); exec($X)", 6, "ast-grep does not understand it as python"),
        ("rule: eval($X)", "sources: [param]\nsinks:\n  - eval($TAINT)\n  - { any: eval }", 9, "ast-grep"),
        ("rule: eval($X)", "native: out-of-thin-air", 6, "write advanced-index or"),
        ("rule: eval($X)", "rule: eval($X)\nlanguages: python", 7, "put `- ` before each"),
        ("bad:\n  - eval(x)\n  - eval(y)\n", "", 1, "no `bad`"),
        ("good:\n  - f(x)\n  - g(x)\n", "good: []\n", 10, "at least 2 `good`"),
    ],
)
def test_mistakes(tmp_path, old, new, line, said):
    path = written(tmp_path, RULE.replace(old, new))
    with pytest.raises(RuleError, match=r"python/one\.yml") as caught:
        load_rules(path)
    assert isinstance(caught.value, GuardError)
    assert caught.value.place == f"python/one.yml:{line}"
    assert said in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    path = written(tmp_path, RULE)
    path.write_bytes(b"id: \xff\xfe\n")
    with pytest.raises(RuleError, match="UTF-8"):
        load_rules(path)


def test_an_id_taken_twice(tmp_path):
    written(tmp_path, RULE)
    written(tmp_path, RULE, "two.yml")
    with pytest.raises(RuleError, match=r"two\.yml:1: the id 'python/eval-it' is taken by python/one\.yml:1"):
        load_folder(tmp_path, "python")


def test_a_flow_file_with_a_mistake(tmp_path):
    path = written(tmp_path, "remote:\n  - request.args\n  - { kind: nope }\n", "flow.yml")
    with pytest.raises(RuleError, match=r"python/flow\.yml:3"):
        load_facts(path)


def test_a_family_in_one_file(tmp_path):
    path = written(tmp_path, RULE + "---\n" + RULE.replace("eval-it", "eval-too"))
    assert [rule.place for rule in load_rules(path)] == ["python/one.yml:1", "python/one.yml:14"]
