"""What the evaluation of values has to know of a grammar: names of nodes and fields, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Grammar:
    """Node kinds by role.  A kind in no role is worth what its children are worth."""

    functions: frozenset[str]
    parameters: frozenset[str]
    """Kinds that hold the parameters of a function."""
    identifiers: frozenset[str]
    strings: frozenset[str]
    string_text: frozenset[str]
    """Kinds inside a string that are its text; everything else named in it is a hole."""
    literals: frozenset[str]
    calls: Mapping[str, tuple[str, str]]
    """Kind to the fields of callee and arguments."""
    members: Mapping[str, tuple[str, str]]
    """`a.b`: kind to the fields of object and name."""
    subscripts: Mapping[str, str]
    """`a[b]`: kind to the field of the object; empty for the first child."""
    assignments: Mapping[str, tuple[str, str]]
    """Kind to the fields of target and value; also loops and `with`, whose target takes a part of it."""
    augmented: frozenset[str]
    binary: Mapping[str, tuple[str, str]]
    """Kind to the fields of the two sides."""
    joining: frozenset[str]
    """Operators that put text together."""
    choosing: frozenset[str]
    """Operators whose value is one of the sides."""
    conditionals: Mapping[str, tuple[str, str]]
    """`c ? a : b`: kind to the fields of the two branches; empty: first and last named child."""
    containers: frozenset[str]
    blocks: frozenset[str]
    skipped: frozenset[str]
    """Kinds that are never a value: types, keywords, function bodies."""
    comment: str = "comment"
    field_of: re.Pattern[str] = re.compile(r"(?:self|cls|this)\b")
    format_calls: re.Pattern[str] = re.compile(r"(?:\.|^)(?:format|sprintf|Sprintf|Format|formatted)$")


_CURLY_STRINGS = frozenset({"string_fragment", "escape_sequence", "string_content"})

PYTHON = Grammar(
    functions=frozenset({"function_definition", "lambda"}),
    parameters=frozenset({"parameters", "lambda_parameters"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string", "concatenated_string"}),
    string_text=frozenset({"string_content", "escape_sequence", "string_start", "string_end"}),
    literals=frozenset({"integer", "float", "true", "false", "none", "ellipsis"}),
    calls={"call": ("function", "arguments")},
    members={"attribute": ("object", "attribute")},
    subscripts={"subscript": "value"},
    assignments={
        "assignment": ("left", "right"),
        "augmented_assignment": ("left", "right"),
        "for_statement": ("left", "right"),
        "for_in_clause": ("left", "right"),
        "named_expression": ("name", "value"),
        "as_pattern": ("alias", ""),
    },
    augmented=frozenset({"augmented_assignment"}),
    binary={"binary_operator": ("left", "right"), "boolean_operator": ("left", "right")},
    joining=frozenset({"+", "%", "/"}),
    choosing=frozenset({"or", "and"}),
    conditionals={"conditional_expression": ("", "")},
    containers=frozenset({"list", "tuple", "dictionary", "set", "expression_list"}),
    blocks=frozenset({"block", "module"}),
    skipped=frozenset(
        {"type", "comparison_operator", "not_operator", "unary_operator", "function_definition", "comment"}
    ),
)

JAVASCRIPT = Grammar(
    functions=frozenset(
        {
            "function_declaration",
            "function_expression",
            "arrow_function",
            "method_definition",
            "generator_function",
            "generator_function_declaration",
        }
    ),
    parameters=frozenset({"formal_parameters"}),
    identifiers=frozenset(
        {"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"}
    ),
    strings=frozenset({"string", "template_string"}),
    string_text=_CURLY_STRINGS,
    literals=frozenset({"number", "true", "false", "null", "undefined", "regex"}),
    calls={"call_expression": ("function", "arguments"), "new_expression": ("constructor", "arguments")},
    members={"member_expression": ("object", "property")},
    subscripts={"subscript_expression": "object"},
    assignments={
        "variable_declarator": ("name", "value"),
        "assignment_expression": ("left", "right"),
        "augmented_assignment_expression": ("left", "right"),
        "for_in_statement": ("left", "right"),
    },
    augmented=frozenset({"augmented_assignment_expression"}),
    binary={"binary_expression": ("left", "right")},
    joining=frozenset({"+"}),
    choosing=frozenset({"||", "&&", "??"}),
    conditionals={"ternary_expression": ("consequence", "alternative")},
    containers=frozenset({"array", "object", "sequence_expression"}),
    blocks=frozenset({"statement_block", "program", "class_body"}),
    skipped=frozenset(
        {
            *(
                "unary_expression",
                "update_expression",
                "type_annotation",
                "type_arguments",
                "predefined_type",
            ),
            *(
                "statement_block",
                "comment",
                "property_identifier",
                "function_declaration",
                "method_definition",
            ),
        }
    ),
)

JAVA = Grammar(
    functions=frozenset({"method_declaration", "constructor_declaration", "lambda_expression"}),
    parameters=frozenset({"formal_parameters", "inferred_parameters"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string_literal"}),
    string_text=_CURLY_STRINGS | {"multiline_string_fragment"},
    literals=frozenset(
        {
            *("decimal_integer_literal", "hex_integer_literal", "decimal_floating_point_literal"),
            *("true", "false", "null_literal", "character_literal", "class_literal"),
        }
    ),
    calls={"method_invocation": ("name", "arguments"), "object_creation_expression": ("type", "arguments")},
    members={"field_access": ("object", "field")},
    subscripts={"array_access": "array"},
    assignments={
        "variable_declarator": ("name", "value"),
        "assignment_expression": ("left", "right"),
        "enhanced_for_statement": ("name", "value"),
        "resource": ("name", "value"),
    },
    augmented=frozenset(),
    binary={"binary_expression": ("left", "right")},
    joining=frozenset({"+"}),
    choosing=frozenset(),
    conditionals={"ternary_expression": ("consequence", "alternative")},
    containers=frozenset({"array_initializer"}),
    blocks=frozenset({"block", "program", "class_body"}),
    skipped=frozenset(
        {
            *("type_identifier", "generic_type", "integral_type", "boolean_type", "unary_expression"),
            *("line_comment", "block_comment", "update_expression", "class_body", "block"),
        }
    ),
)

GO = Grammar(
    functions=frozenset({"function_declaration", "method_declaration", "func_literal"}),
    parameters=frozenset({"parameter_list"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"interpreted_string_literal", "raw_string_literal"}),
    string_text=frozenset(
        {"interpreted_string_literal_content", "raw_string_literal_content", "escape_sequence"}
    ),
    literals=frozenset({"int_literal", "float_literal", "true", "false", "nil", "rune_literal"}),
    calls={"call_expression": ("function", "arguments"), "type_conversion_expression": ("type", "operand")},
    members={"selector_expression": ("operand", "field")},
    subscripts={"index_expression": "operand", "slice_expression": "operand"},
    assignments={
        "short_var_declaration": ("left", "right"),
        "assignment_statement": ("left", "right"),
        "var_spec": ("name", "value"),
        "range_clause": ("left", "right"),
    },
    augmented=frozenset(),
    binary={"binary_expression": ("left", "right")},
    joining=frozenset({"+"}),
    choosing=frozenset(),
    conditionals={},
    containers=frozenset({"composite_literal", "literal_value", "expression_list"}),
    blocks=frozenset({"block", "source_file"}),
    skipped=frozenset({"type_identifier", "pointer_type", "slice_type", "comment", "block", "func_literal"}),
)

C = Grammar(
    functions=frozenset({"function_definition", "lambda_expression"}),
    parameters=frozenset({"parameter_list"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string_literal", "concatenated_string", "raw_string_literal"}),
    string_text=_CURLY_STRINGS | {"raw_string_content"},
    literals=frozenset({"number_literal", "char_literal", "true", "false", "null", "nullptr"}),
    calls={"call_expression": ("function", "arguments"), "new_expression": ("type", "arguments")},
    members={"field_expression": ("argument", "field"), "qualified_identifier": ("scope", "name")},
    subscripts={"subscript_expression": "argument", "pointer_expression": "argument"},
    assignments={
        "init_declarator": ("declarator", "value"),
        "assignment_expression": ("left", "right"),
        "for_range_loop": ("declarator", "right"),
    },
    augmented=frozenset(),
    binary={"binary_expression": ("left", "right")},
    joining=frozenset({"+"}),
    choosing=frozenset(),
    conditionals={"conditional_expression": ("consequence", "alternative")},
    containers=frozenset({"initializer_list"}),
    blocks=frozenset({"compound_statement", "translation_unit"}),
    skipped=frozenset(
        {
            *("primitive_type", "type_identifier", "sized_type_specifier", "sizeof_expression"),
            *("unary_expression", "comment", "compound_statement", "type_descriptor"),
        }
    ),
)

CSHARP = Grammar(
    functions=frozenset(
        {
            *("method_declaration", "constructor_declaration", "local_function_statement"),
            *("lambda_expression", "anonymous_method_expression"),
        }
    ),
    parameters=frozenset({"parameter_list"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset(
        {"string_literal", "verbatim_string_literal", "raw_string_literal", "interpolated_string_expression"}
    ),
    string_text=frozenset(
        {
            *("string_literal_content", "string_content", "raw_string_content", "escape_sequence"),
            *("interpolation_start", "interpolation_quote"),
        }
    ),
    literals=frozenset(
        {"integer_literal", "real_literal", "boolean_literal", "null_literal", "character_literal"}
    ),
    calls={
        "invocation_expression": ("function", "arguments"),
        "object_creation_expression": ("type", "arguments"),
    },
    members={"member_access_expression": ("expression", "name")},
    subscripts={"element_access_expression": "expression"},
    assignments={
        "variable_declarator": ("name", ""),
        "assignment_expression": ("left", "right"),
        "foreach_statement": ("left", "right"),
    },
    augmented=frozenset(),
    binary={"binary_expression": ("left", "right")},
    joining=frozenset({"+"}),
    choosing=frozenset({"??"}),
    conditionals={"conditional_expression": ("consequence", "alternative")},
    containers=frozenset({"initializer_expression", "array_creation_expression"}),
    blocks=frozenset({"block", "compilation_unit", "declaration_list"}),
    skipped=frozenset(
        {"predefined_type", "comment", "block", "type_argument_list", "prefix_unary_expression"}
    ),
)

PHP = Grammar(
    functions=frozenset(
        {"function_definition", "method_declaration", "anonymous_function", "arrow_function"}
    ),
    parameters=frozenset({"formal_parameters"}),
    identifiers=frozenset({"variable_name"}),
    strings=frozenset({"string", "encapsed_string", "heredoc", "nowdoc"}),
    string_text=frozenset(
        {"string_content", "escape_sequence", "string_value", "nowdoc_string", "heredoc_start"}
    ),
    literals=frozenset({"integer", "float", "boolean", "null"}),
    calls={
        "function_call_expression": ("function", "arguments"),
        "member_call_expression": ("name", "arguments"),
        "scoped_call_expression": ("name", "arguments"),
        "object_creation_expression": ("", ""),
    },
    members={"member_access_expression": ("object", "name")},
    subscripts={"subscript_expression": ""},
    assignments={
        "assignment_expression": ("left", "right"),
        "augmented_assignment_expression": ("left", "right"),
    },
    augmented=frozenset({"augmented_assignment_expression"}),
    binary={"binary_expression": ("left", "right")},
    joining=frozenset({"."}),
    choosing=frozenset({"??"}),
    conditionals={"conditional_expression": ("body", "alternative")},
    containers=frozenset({"array_creation_expression"}),
    blocks=frozenset({"compound_statement", "program"}),
    skipped=frozenset({"comment", "compound_statement", "unary_op_expression", "name"}),
    field_of=re.compile(r"\$this\b"),
)

RUBY = Grammar(
    functions=frozenset({"method", "singleton_method"}),
    parameters=frozenset({"method_parameters"}),
    identifiers=frozenset({"identifier", "instance_variable"}),
    strings=frozenset({"string", "subshell", "heredoc_body", "chained_string"}),
    string_text=frozenset({"string_content", "escape_sequence", "heredoc_content"}),
    literals=frozenset({"integer", "float", "true", "false", "nil", "simple_symbol"}),
    calls={"call": ("method", "arguments")},
    members={"scope_resolution": ("scope", "name")},
    subscripts={"element_reference": "object"},
    assignments={"assignment": ("left", "right"), "operator_assignment": ("left", "right")},
    augmented=frozenset({"operator_assignment"}),
    binary={"binary": ("left", "right")},
    joining=frozenset({"+", "<<", "%"}),
    choosing=frozenset({"||", "or"}),
    conditionals={"conditional": ("consequence", "alternative")},
    containers=frozenset({"array", "hash"}),
    blocks=frozenset({"body_statement", "program", "do_block", "block"}),
    skipped=frozenset({"comment", "unary", "do_block", "block"}),
    field_of=re.compile(r"@"),
)

BASH = Grammar(
    functions=frozenset({"function_definition"}),
    parameters=frozenset(),
    identifiers=frozenset({"variable_name"}),
    strings=frozenset({"string", "raw_string"}),
    string_text=frozenset({"string_content"}),
    literals=frozenset({"number", "word"}),
    calls={"command": ("name", "")},
    members={},
    subscripts={},
    assignments={"variable_assignment": ("name", "value")},
    augmented=frozenset(),
    binary={},
    joining=frozenset(),
    choosing=frozenset(),
    conditionals={},
    containers=frozenset({"array"}),
    blocks=frozenset({"compound_statement", "program", "do_group"}),
    skipped=frozenset({"comment"}),
)

_ONLY_C = replace(
    C,
    functions=C.functions - {"lambda_expression"},
    assignments={kind: fields for kind, fields in C.assignments.items() if kind != "for_range_loop"},
)
"""ast-grep refuses to look for kinds that a grammar does not have."""

GRAMMARS: Mapping[str, Grammar] = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": JAVASCRIPT,
    "tsx": JAVASCRIPT,
    "java": JAVA,
    "go": GO,
    "c": _ONLY_C,
    "cpp": C,
    "csharp": CSHARP,
    "php": PHP,
    "ruby": RUBY,
    "bash": BASH,
}
"""By the name ast-grep and `context` know a language by."""
