"""Safe replacements: a rule's `rewrite`, filled in; values taken out of SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .argv import argument_list
from .canonical import folded
from .trees import span

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from .scan import Finding, Scan

_VARIABLE = re.compile(r"\$\$\$([A-Z_0-9]+)|\$([A-Z_0-9]+)")
_QUESTION = re.compile(r"\bsqlite3?\b|\baiosqlite\b|\bpyodbc\b|\bduckdb\b|\bmysql2?\b|better.sqlite3")
_PERCENT = re.compile(
    r"\bpsycopg[23]?\b|\bpymysql\b|\bMySQLdb\b|\bmysql\.connector\b|\bdjango\b|\bflask_mysqldb\b"
)
_NUMBERED = re.compile(r"\basyncpg\b|(?:require\(|from )['\"]pg['\"]|\bpg\.Pool\b")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """`text` in place of `[start, end)` of the text as it came."""

    start: int
    end: int
    text: str


def rewrite_of(finding: Finding, scan: Scan) -> Rewrite | None:
    """The repair of a finding, or nothing where none is known for its shape."""
    template = finding.rule.rewrite
    if template is None:
        return None
    if template == "{parameters}":
        return _parameters(finding, scan)
    if template.startswith("s/"):
        _, old, new, _ = template.split("/")
        return Rewrite(finding.start, finding.end, re.sub(old, new, _original(finding.node, scan)))
    if template.startswith("$TAINT: ") and finding.tainted is not None:
        text = template.removeprefix("$TAINT: ").replace("$TAINT", _original(finding.tainted, scan))
        start, end = span(finding.tainted)
        return Rewrite(scan.canonical.back(start), scan.canonical.back(end, end=True), text)
    if template == "{arguments}":
        return _arguments(finding, scan)
    text = _VARIABLE.sub(lambda match: _filled(match, finding.node, scan), template)
    return Rewrite(finding.start, finding.end, re.sub(r",\s*\)", ")", text) if "$$$" in template else text)


def _filled(match: re.Match[str], node: SgNode, scan: Scan) -> str:
    if match[1]:
        held = [one for one in node.get_multiple_matches(match[1]) if one.is_named()]
        return ", ".join(_original(one, scan) for one in held)
    found = node.get_match(match[2])
    return _original(found, scan) if found is not None else ""


def _original(node: SgNode, scan: Scan) -> str:
    start, end = span(node)
    return scan.source[scan.canonical.back(start) : scan.canonical.back(end, end=True)]


def _parameters(finding: Finding, scan: Scan) -> Rewrite | None:
    """`f"… {x}"`, `"…" % x`, `"…".format(x)`, `` `… ${x}` `` to a placeholder and a list of values."""
    node, style = finding.tainted, _placeholder_style(scan.source)
    if node is None or style is None or node.parent() is None:
        return None
    following = node.next()
    if following is not None and following.text() != ")":
        return None  # there are parameters already
    taken = _taken_apart(node, scan)
    if taken is None:
        return None
    pieces, values = taken
    if not values or any(not value.strip() for value in values):
        return None
    quoted = list(pieces)
    for at in range(len(values)):
        # The quotes round a value go: the driver adds its own.
        if re.search(r"'\s*$", quoted[at]) and re.match(r"\s*'", quoted[at + 1]):
            quoted[at] = re.sub(r"'\s*$", "", quoted[at])
            quoted[at + 1] = re.sub(r"^\s*'", "", quoted[at + 1])
        elif re.search(r"['%\"`\w]$", quoted[at]) or re.match(r"['%\"`\w]", quoted[at + 1]):
            return None  # part of a literal or of a name
        if not re.search(
            r"(?i)(?:[=<>(,]|\blike|\bvalues|\bbetween|\band|\blimit|\boffset|\bin)\s*$", quoted[at]
        ):
            return None  # a table or a column: no driver takes those
    body = quoted[0]
    for at, piece in enumerate(quoted[1:], 1):
        body += style.replace("N", str(at)) + piece
    start, end = scan.canonical.back(span(node)[0]), scan.canonical.back(span(node)[1], end=True)
    quote = _quote_for(body, scan.rules.language)
    if quote is None:
        return None
    if scan.rules.language == "python":
        listed = f"({', '.join(values)},)" if len(values) == 1 else f"({', '.join(values)})"
    else:
        listed = f"[{', '.join(values)}]"
    return Rewrite(start, end, f"{quote}{body}{quote}, {listed}")


def _arguments(finding: Finding, scan: Scan) -> Rewrite | None:
    """`os.system("git show " + x)` and `subprocess.run(f"git show {x}", shell=True)` without a shell."""
    node, call = finding.tainted, finding.node
    callee, arguments = call.field("function"), call.field("arguments")
    taken = _taken_apart(node, scan) if node is not None else None
    if node is None or taken is None or callee is None or arguments is None:
        return None
    listed = argument_list(*taken)
    name = callee.text()
    if listed is None or not (name == "os.system" or name.startswith("subprocess.")):
        return None
    others = [
        _original(one, scan)
        for one in arguments.named_children()
        if span(one) != span(node) and not re.match(r"shell\s*=", one.text())
    ]
    if name == "os.system":
        return Rewrite(finding.start, finding.end, f"subprocess.call({listed})")
    if name.startswith("subprocess.get"):
        return None
    return Rewrite(finding.start, finding.end, f"{_original(callee, scan)}({', '.join([listed, *others])})")


def _placeholder_style(text: str) -> str | None:
    for pattern, style in ((_NUMBERED, "$N"), (_QUESTION, "?"), (_PERCENT, "%s")):
        if pattern.search(text):
            return style
    return None


def _quote_for(body: str, language: str) -> str | None:
    if "\n" in body:
        return '"""' if language == "python" else "`"
    return next((quote for quote in ('"', "'") if quote not in body), None)


def _taken_apart(node: SgNode, scan: Scan) -> tuple[list[str], list[str]] | None:
    """Literal pieces and the values between them; one piece more than values."""
    kind = node.kind()
    if kind in ("string", "template_string"):
        if not any(one.kind() in ("interpolation", "template_substitution") for one in node.children()):
            return None
        pieces: list[str] = [""]
        values: list[str] = []
        for child in node.children():
            if child.kind() in ("interpolation", "template_substitution"):
                inner = child.named_children()
                if len(inner) != 1:
                    return None
                values.append(_original(inner[0], scan))
                pieces.append("")
            elif child.kind() in ("string_content", "string_fragment", "escape_sequence"):
                pieces[-1] += child.text().replace("{{", "{").replace("}}", "}")
        return pieces, values
    if kind == "binary_operator" and node.child(1) is not None and _operator(node) == "%":
        left, right = node.field("left"), node.field("right")
        literal = folded(left.text()) if left is not None else None
        if literal is None or right is None:
            return None
        given = right.named_children() if right.kind() == "tuple" else [right]
        pieces = re.split(r"%[sdir]", literal)
        values = [_original(one, scan) for one in given]
        return (pieces, values) if len(pieces) == len(values) + 1 else None
    if kind == "call":
        callee, arguments = node.field("function"), node.field("arguments")
        if callee is None or arguments is None or not callee.text().endswith(".format"):
            return None
        literal = folded(callee.text()[: -len(".format")])
        given = arguments.named_children()
        if literal is None:
            return None
        named = {
            one.named_children()[0].text(): one.named_children()[1]
            for one in given
            if one.kind() == "keyword_argument"
        }
        plain = [one for one in given if one.kind() != "keyword_argument"]
        pieces = re.split(r"\{\w*\}", literal)
        values: list[str] = []
        for at, field in enumerate(re.findall(r"\{(\w*)\}", literal)):
            if field.isdigit() or not field:
                number = int(field) if field else at
                if number >= len(plain):
                    return None
                values.append(_original(plain[number], scan))
            elif field in named:
                values.append(_original(named[field], scan))
            else:
                return None
        return pieces, values
    if kind in ("binary_operator", "binary_expression") and _operator(node) == "+":
        parts = _summands(node)
        pieces: list[str] = [""]
        values: list[str] = []
        for one in parts:
            literal = folded(one.text())
            if literal is not None:
                pieces[-1] += literal
            else:
                values.append(_original(_unwrapped(one), scan))
                pieces.append("")
        return pieces, values
    return None


def _unwrapped(node: SgNode) -> SgNode:
    """`str(x)` added to a text is `x`."""
    callee, arguments = node.field("function"), node.field("arguments")
    if node.kind() == "call" and callee is not None and callee.text() == "str" and arguments is not None:
        held = arguments.named_children()
        return held[0] if len(held) == 1 else node
    return node


def _operator(node: SgNode) -> str:
    held = node.field("operator")
    return held.text() if held is not None else ""


def _summands(node: SgNode) -> list[SgNode]:
    if node.kind() in ("binary_operator", "binary_expression") and _operator(node) == "+":
        left, right = node.field("left"), node.field("right")
        if left is not None and right is not None:
            return [*_summands(left), *_summands(right)]
    return [node]
