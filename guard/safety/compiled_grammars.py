"""The grammars of languages with declared types: Java, Go, C and C++, C#."""

from __future__ import annotations

from dataclasses import replace

from .grammar import CURLY_STRINGS, Grammar

JAVA = Grammar(
    functions=frozenset({"method_declaration", "constructor_declaration", "lambda_expression"}),
    parameters=frozenset({"formal_parameters", "inferred_parameters"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string_literal"}),
    string_text=CURLY_STRINGS | {"multiline_string_fragment"},
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
    string_text=CURLY_STRINGS | {"raw_string_content"},
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

ONLY_C = replace(
    C,
    functions=C.functions - {"lambda_expression"},
    assignments={kind: fields for kind, fields in C.assignments.items() if kind != "for_range_loop"},
)
"""ast-grep refuses to look for kinds that a grammar does not have."""
