"""The grammars of languages without declared types: Python, JavaScript, PHP, Ruby, shells."""

from __future__ import annotations

import re

from .grammar import CURLY_STRINGS, Grammar

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
    string_text=CURLY_STRINGS,
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
