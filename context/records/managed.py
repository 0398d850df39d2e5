"""Languages of the JVM and .NET: Java, C#, Kotlin, Scala."""

from __future__ import annotations

from .record import C_COMMENT, Language, names

JAVA = Language(
    name="java",
    ids=("java",),
    suffixes=(".java",),
    file_names=(),
    wheel="tree_sitter_java",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"""', '"', "'"),
    block_style="brace",
    statement_nodes=names(
        "annotation_type_declaration assert_statement block break_statement class_declaration "
        "constant_declaration constructor_declaration continue_statement do_statement "
        "enhanced_for_statement enum_declaration expression_statement field_declaration "
        "for_statement if_statement import_declaration interface_declaration labeled_statement "
        "local_variable_declaration method_declaration package_declaration record_declaration "
        "return_statement switch_expression synchronized_statement throw_statement try_statement "
        "try_with_resources_statement while_statement yield_statement static_initializer"
    ),
    block_nodes=names(
        "program block class_body interface_body enum_body enum_body_declarations constructor_body "
        "switch_block switch_block_statement_group annotation_type_body"
    ),
    definition_nodes=names(
        "annotation_type_declaration class_declaration constructor_declaration enum_declaration "
        "interface_declaration method_declaration record_declaration lambda_expression"
    ),
    comment_nodes=names("line_comment block_comment"),
    string_nodes=names("string_literal character_literal"),
)
CSHARP = Language(
    name="csharp",
    ids=("csharp", "c#", "cs"),
    suffixes=(".cs", ".csx"),
    file_names=(),
    wheel="tree_sitter_c_sharp",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"""', '"', "'"),
    block_style="brace",
    statement_nodes=names(
        "block break_statement checked_statement class_declaration constructor_declaration "
        "continue_statement delegate_declaration destructor_declaration do_statement "
        "enum_declaration event_declaration event_field_declaration expression_statement "
        "field_declaration file_scoped_namespace_declaration fixed_statement for_statement "
        "foreach_statement global_statement goto_statement if_statement indexer_declaration "
        "interface_declaration labeled_statement local_declaration_statement "
        "local_function_statement lock_statement method_declaration namespace_declaration "
        "operator_declaration property_declaration record_declaration return_statement "
        "struct_declaration switch_statement throw_statement try_statement unsafe_statement "
        "using_directive using_statement while_statement yield_statement"
    ),
    block_nodes=names(
        "compilation_unit block declaration_list switch_body switch_section accessor_list "
        "enum_member_declaration_list"
    ),
    definition_nodes=names(
        "class_declaration constructor_declaration delegate_declaration enum_declaration "
        "interface_declaration local_function_statement method_declaration property_declaration "
        "record_declaration struct_declaration lambda_expression"
    ),
    comment_nodes=names("comment"),
    string_nodes=names(
        "string_literal verbatim_string_literal raw_string_literal character_literal "
        "interpolated_string_expression"
    ),
)
KOTLIN = Language(
    name="kotlin",
    ids=("kotlin", "kt"),
    suffixes=(".kt", ".kts"),
    file_names=(),
    wheel="tree_sitter_kotlin",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"""', '"', "'"),
    block_style="brace",
    statement_nodes=names(
        "anonymous_initializer assignment call_expression class_declaration companion_object "
        "do_while_statement enum_entry for_statement function_declaration if_expression import "
        "object_declaration package_header property_declaration return_expression "
        "secondary_constructor throw_expression try_expression type_alias when_entry "
        "when_expression while_statement"
    ),
    block_nodes=names("source_file block class_body enum_class_body when_expression lambda_literal"),
    definition_nodes=names(
        "class_declaration companion_object function_declaration object_declaration "
        "secondary_constructor type_alias anonymous_function lambda_literal"
    ),
    comment_nodes=names("line_comment block_comment"),
    string_nodes=names("string_literal multiline_string_literal character_literal"),
)
SCALA = Language(
    name="scala",
    ids=("scala",),
    suffixes=(".scala", ".sc", ".sbt"),
    file_names=(),
    wheel="tree_sitter_scala",
    loader="language",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"""', '"', "'"),
    block_style="brace",
    statement_nodes=names(
        "assignment_expression call_expression case_clause class_definition enum_case_definitions "
        "enum_definition export_declaration extension_definition for_expression "
        "function_declaration function_definition given_definition if_expression "
        "import_declaration match_expression object_definition package_clause return_expression "
        "throw_expression trait_definition try_expression type_definition val_declaration "
        "val_definition var_declaration var_definition while_expression"
    ),
    block_nodes=names(
        "compilation_unit block indented_block case_block indented_cases template_body enum_body "
        "with_template_body"
    ),
    definition_nodes=names(
        "class_definition enum_definition function_declaration function_definition given_definition "
        "object_definition trait_definition type_definition lambda_expression"
    ),
    comment_nodes=names("comment block_comment"),
    string_nodes=names("string interpolated_string character_literal"),
)
