"""Languages compiled to machine code: C, C++, Go, Rust, Swift."""

from __future__ import annotations

from .record import C_COMMENT, Language, names

_C_STATEMENTS = (
    "break_statement case_statement compound_statement continue_statement do_statement "
    "expression_statement for_statement goto_statement if_statement labeled_statement "
    "return_statement switch_statement while_statement declaration function_definition "
    "type_definition field_declaration preproc_include preproc_def preproc_function_def "
    "struct_specifier union_specifier enum_specifier"
)
_C_BLOCKS = (
    "translation_unit compound_statement field_declaration_list enumerator_list case_statement "
    "declaration_list"
)

C = Language(
    name="c",
    ids=("c",),
    suffixes=(".c", ".h"),
    file_names=(),
    wheel="tree_sitter_c",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"', "'"),
    block_style="brace",
    statement_nodes=names(_C_STATEMENTS),
    block_nodes=names(_C_BLOCKS),
    definition_nodes=names(
        "function_definition struct_specifier union_specifier enum_specifier type_definition "
        "preproc_function_def"
    ),
    comment_nodes=names("comment"),
    string_nodes=names("string_literal char_literal concatenated_string"),
)
CPP = Language(
    name="cpp",
    ids=("cpp", "c++", "cc", "cxx", "cuda", "cuda-cpp"),
    suffixes=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".cu", ".cuh"),
    file_names=(),
    wheel="tree_sitter_cpp",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"', "'"),
    block_style="brace",
    statement_nodes=names(
        _C_STATEMENTS + " alias_declaration class_specifier co_return_statement co_yield_statement "
        "concept_definition for_range_loop namespace_alias_definition namespace_definition "
        "static_assert_declaration template_declaration throw_statement try_statement "
        "using_declaration access_specifier"
    ),
    block_nodes=names(_C_BLOCKS),
    definition_nodes=names(
        "function_definition class_specifier struct_specifier union_specifier enum_specifier "
        "namespace_definition type_definition alias_declaration concept_definition "
        "lambda_expression preproc_function_def"
    ),
    comment_nodes=names("comment"),
    string_nodes=names("string_literal raw_string_literal char_literal concatenated_string"),
)
GO = Language(
    name="go",
    ids=("go", "golang"),
    suffixes=(".go",),
    file_names=(),
    wheel="tree_sitter_go",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=("`", '"', "'"),
    block_style="brace",
    statement_nodes=names(
        "assignment_statement block break_statement const_declaration continue_statement "
        "dec_statement defer_statement expression_statement expression_switch_statement "
        "fallthrough_statement field_declaration for_statement function_declaration go_statement "
        "goto_statement if_statement import_declaration inc_statement labeled_statement "
        "method_declaration package_clause return_statement select_statement send_statement "
        "short_var_declaration type_declaration type_switch_statement var_declaration"
    ),
    block_nodes=names(
        "source_file block statement_list field_declaration_list interface_type expression_case "
        "type_case communication_case default_case import_spec_list"
    ),
    definition_nodes=names("function_declaration method_declaration type_spec func_literal"),
    comment_nodes=names("comment"),
    string_nodes=names("interpreted_string_literal raw_string_literal rune_literal"),
)
RUST = Language(
    name="rust",
    ids=("rust", "rs"),
    suffixes=(".rs",),
    file_names=(),
    wheel="tree_sitter_rust",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"',),
    block_style="brace",
    statement_nodes=names(
        "associated_type attribute_item const_item empty_statement enum_item expression_statement "
        "extern_crate_declaration field_declaration foreign_mod_item function_item "
        "function_signature_item impl_item inner_attribute_item let_declaration macro_definition "
        "mod_item static_item struct_item trait_item type_item union_item use_declaration match_arm"
    ),
    block_nodes=names(
        "source_file block declaration_list field_declaration_list enum_variant_list match_block"
    ),
    definition_nodes=names(
        "enum_item function_item function_signature_item impl_item macro_definition mod_item "
        "struct_item trait_item type_item union_item closure_expression"
    ),
    comment_nodes=names("line_comment block_comment"),
    string_nodes=names("string_literal raw_string_literal char_literal"),
    path_separator="::",
)
SWIFT = Language(
    name="swift",
    ids=("swift",),
    suffixes=(".swift",),
    file_names=(),
    wheel="tree_sitter_swift",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"""', '"'),
    block_style="brace",
    statement_nodes=names(
        "assignment associatedtype_declaration call_expression class_declaration "
        "control_transfer_statement deinit_declaration do_statement enum_entry for_statement "
        "function_declaration guard_statement if_statement import_declaration init_declaration "
        "property_declaration protocol_declaration protocol_function_declaration "
        "protocol_property_declaration repeat_while_statement subscript_declaration switch_entry "
        "switch_statement typealias_declaration while_statement"
    ),
    block_nodes=names(
        "source_file statements class_body enum_class_body protocol_body function_body switch_statement"
    ),
    definition_nodes=names(
        "class_declaration deinit_declaration function_declaration init_declaration "
        "protocol_declaration protocol_function_declaration subscript_declaration "
        "typealias_declaration lambda_literal"
    ),
    comment_nodes=names("comment multiline_comment"),
    string_nodes=names("line_string_literal multi_line_string_literal raw_string_literal"),
)
