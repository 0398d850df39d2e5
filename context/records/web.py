"""JavaScript, TypeScript and TSX."""

from __future__ import annotations

from dataclasses import replace

from .record import C_COMMENT, Language, names

_JS_STATEMENTS = (
    "break_statement class_declaration continue_statement debugger_statement do_statement "
    "empty_statement export_statement expression_statement for_in_statement for_statement "
    "function_declaration generator_function_declaration if_statement import_statement "
    "labeled_statement lexical_declaration method_definition return_statement statement_block "
    "switch_statement throw_statement try_statement variable_declaration while_statement "
    "with_statement"
)
_JS_BLOCKS = "program statement_block class_body switch_body switch_case switch_default class_static_block"
_JS_DEFINITIONS = (
    "class_declaration function_declaration generator_function_declaration method_definition "
    "arrow_function function_expression"
)
_TS_STATEMENTS = (
    _JS_STATEMENTS + " abstract_class_declaration ambient_declaration enum_declaration "
    "function_signature import_alias interface_declaration public_field_definition "
    "type_alias_declaration method_signature property_signature abstract_method_signature "
    "internal_module"
)
_TS_BLOCKS = _JS_BLOCKS + " interface_body enum_body object_type"
_TS_DEFINITIONS = (
    _JS_DEFINITIONS + " abstract_class_declaration enum_declaration function_signature "
    "interface_declaration type_alias_declaration internal_module"
)

JAVASCRIPT = Language(
    name="javascript",
    ids=("javascript", "js", "javascriptreact", "jsx"),
    suffixes=(".js", ".mjs", ".cjs", ".jsx"),
    file_names=("Jakefile",),
    wheel="tree_sitter_javascript",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=("`", '"', "'"),
    block_style="brace",
    statement_nodes=names(_JS_STATEMENTS + " field_definition using_declaration"),
    block_nodes=names(_JS_BLOCKS),
    definition_nodes=names(_JS_DEFINITIONS),
    comment_nodes=names("comment html_comment"),
    string_nodes=names("string template_string"),
    importers=names("require import"),
)
TYPESCRIPT = Language(
    name="typescript",
    ids=("typescript", "ts"),
    suffixes=(".ts", ".mts", ".cts"),
    file_names=(),
    wheel="tree_sitter_typescript",
    loader="language_typescript",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=("`", '"', "'"),
    block_style="brace",
    statement_nodes=names(_TS_STATEMENTS),
    block_nodes=names(_TS_BLOCKS),
    definition_nodes=names(_TS_DEFINITIONS),
    comment_nodes=names("comment html_comment"),
    string_nodes=names("string template_string"),
    importers=names("require import"),
)
TSX = replace(
    TYPESCRIPT,
    name="typescriptreact",
    ids=("typescriptreact", "tsx"),
    suffixes=(".tsx",),
    loader="language_tsx",
)
