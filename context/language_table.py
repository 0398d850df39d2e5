"""What we know of each language, one frozen record each.  Adding one is a record here and its wheel.

Node names are those of the grammar versions pinned in pyproject.toml; tests/context/test_languages.py
asks the grammars whether they still exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

BlockStyle = Literal["indent", "brace", "keyword"]


@dataclass(frozen=True, slots=True)
class Language:
    """One language.  `name` is its id in LSP and the only name used inside the product."""

    name: str
    ids: tuple[str, ...]
    """Every id an editor may send for it, lower case; includes `name`."""
    suffixes: tuple[str, ...]
    """With the dot, lower case.  `.h` is C: nothing in the name says otherwise."""
    file_names: tuple[str, ...]
    """Whole names of files without a telling suffix."""
    wheel: str
    loader: str
    """The function in `wheel` that returns the grammar."""
    line_comment: str
    block_comment: tuple[str, str] | None
    quotes: tuple[str, ...]
    """What opens a string, longest first; the same text closes it."""
    block_style: BlockStyle
    """`indent` Python; `brace` `{ }`; `keyword` blocks that end in a word (`end`, `fi`, `done`)."""
    statement_nodes: frozenset[str]
    """Nodes that stand on their own in a block, declarations and definitions included."""
    block_nodes: frozenset[str]
    """Nodes whose children are statements, members or cases; the whole file included."""
    definition_nodes: frozenset[str]
    """Functions, methods, classes and other types: what a person would jump to."""
    comment_nodes: frozenset[str]
    string_nodes: frozenset[str]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_C_COMMENT = ("/*", "*/")
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

PYTHON = Language(
    name="python",
    ids=("python", "py", "python3"),
    suffixes=(".py", ".pyi", ".pyw"),
    file_names=("SConstruct", "SConscript", "wscript"),
    wheel="tree_sitter_python",
    loader="language",
    line_comment="#",
    block_comment=None,
    quotes=('"""', "'''", '"', "'"),
    block_style="indent",
    statement_nodes=_names(
        "assert_statement break_statement class_definition continue_statement decorated_definition "
        "delete_statement exec_statement expression_statement for_statement function_definition "
        "future_import_statement global_statement if_statement import_from_statement "
        "import_statement match_statement nonlocal_statement pass_statement print_statement "
        "raise_statement return_statement try_statement type_alias_statement while_statement "
        "with_statement"
    ),
    block_nodes=_names("module block"),
    definition_nodes=_names("class_definition function_definition"),
    comment_nodes=_names("comment"),
    string_nodes=_names("string concatenated_string"),
)
JAVASCRIPT = Language(
    name="javascript",
    ids=("javascript", "js", "javascriptreact", "jsx"),
    suffixes=(".js", ".mjs", ".cjs", ".jsx"),
    file_names=("Jakefile",),
    wheel="tree_sitter_javascript",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=("`", '"', "'"),
    block_style="brace",
    statement_nodes=_names(_JS_STATEMENTS + " field_definition using_declaration"),
    block_nodes=_names(_JS_BLOCKS),
    definition_nodes=_names(_JS_DEFINITIONS),
    comment_nodes=_names("comment html_comment"),
    string_nodes=_names("string template_string"),
)
TYPESCRIPT = Language(
    name="typescript",
    ids=("typescript", "ts"),
    suffixes=(".ts", ".mts", ".cts"),
    file_names=(),
    wheel="tree_sitter_typescript",
    loader="language_typescript",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=("`", '"', "'"),
    block_style="brace",
    statement_nodes=_names(_TS_STATEMENTS),
    block_nodes=_names(_TS_BLOCKS),
    definition_nodes=_names(_TS_DEFINITIONS),
    comment_nodes=_names("comment html_comment"),
    string_nodes=_names("string template_string"),
)
TSX = replace(
    TYPESCRIPT,
    name="typescriptreact",
    ids=("typescriptreact", "tsx"),
    suffixes=(".tsx",),
    loader="language_tsx",
)
GO = Language(
    name="go",
    ids=("go", "golang"),
    suffixes=(".go",),
    file_names=(),
    wheel="tree_sitter_go",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=("`", '"', "'"),
    block_style="brace",
    statement_nodes=_names(
        "assignment_statement block break_statement const_declaration continue_statement "
        "dec_statement defer_statement expression_statement expression_switch_statement "
        "fallthrough_statement field_declaration for_statement function_declaration go_statement "
        "goto_statement if_statement import_declaration inc_statement labeled_statement "
        "method_declaration package_clause return_statement select_statement send_statement "
        "short_var_declaration type_declaration type_switch_statement var_declaration"
    ),
    block_nodes=_names(
        "source_file block statement_list field_declaration_list interface_type expression_case "
        "type_case communication_case default_case import_spec_list"
    ),
    definition_nodes=_names("function_declaration method_declaration type_spec func_literal"),
    comment_nodes=_names("comment"),
    string_nodes=_names("interpreted_string_literal raw_string_literal rune_literal"),
)
RUST = Language(
    name="rust",
    ids=("rust", "rs"),
    suffixes=(".rs",),
    file_names=(),
    wheel="tree_sitter_rust",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=('"',),
    block_style="brace",
    statement_nodes=_names(
        "associated_type attribute_item const_item empty_statement enum_item expression_statement "
        "extern_crate_declaration field_declaration foreign_mod_item function_item "
        "function_signature_item impl_item inner_attribute_item let_declaration macro_definition "
        "mod_item static_item struct_item trait_item type_item union_item use_declaration match_arm"
    ),
    block_nodes=_names(
        "source_file block declaration_list field_declaration_list enum_variant_list match_block"
    ),
    definition_nodes=_names(
        "enum_item function_item function_signature_item impl_item macro_definition mod_item "
        "struct_item trait_item type_item union_item closure_expression"
    ),
    comment_nodes=_names("line_comment block_comment"),
    string_nodes=_names("string_literal raw_string_literal char_literal"),
)
JAVA = Language(
    name="java",
    ids=("java",),
    suffixes=(".java",),
    file_names=(),
    wheel="tree_sitter_java",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=('"""', '"', "'"),
    block_style="brace",
    statement_nodes=_names(
        "annotation_type_declaration assert_statement block break_statement class_declaration "
        "constant_declaration constructor_declaration continue_statement do_statement "
        "enhanced_for_statement enum_declaration expression_statement field_declaration "
        "for_statement if_statement import_declaration interface_declaration labeled_statement "
        "local_variable_declaration method_declaration package_declaration record_declaration "
        "return_statement switch_expression synchronized_statement throw_statement try_statement "
        "try_with_resources_statement while_statement yield_statement static_initializer"
    ),
    block_nodes=_names(
        "program block class_body interface_body enum_body enum_body_declarations constructor_body "
        "switch_block switch_block_statement_group annotation_type_body"
    ),
    definition_nodes=_names(
        "annotation_type_declaration class_declaration constructor_declaration enum_declaration "
        "interface_declaration method_declaration record_declaration lambda_expression"
    ),
    comment_nodes=_names("line_comment block_comment"),
    string_nodes=_names("string_literal character_literal"),
)
C = Language(
    name="c",
    ids=("c",),
    suffixes=(".c", ".h"),
    file_names=(),
    wheel="tree_sitter_c",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=('"', "'"),
    block_style="brace",
    statement_nodes=_names(_C_STATEMENTS),
    block_nodes=_names(_C_BLOCKS),
    definition_nodes=_names(
        "function_definition struct_specifier union_specifier enum_specifier type_definition "
        "preproc_function_def"
    ),
    comment_nodes=_names("comment"),
    string_nodes=_names("string_literal char_literal concatenated_string"),
)
CPP = Language(
    name="cpp",
    ids=("cpp", "c++", "cc", "cxx", "cuda", "cuda-cpp"),
    suffixes=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".cu", ".cuh"),
    file_names=(),
    wheel="tree_sitter_cpp",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=('"', "'"),
    block_style="brace",
    statement_nodes=_names(
        _C_STATEMENTS + " alias_declaration class_specifier co_return_statement co_yield_statement "
        "concept_definition for_range_loop namespace_alias_definition namespace_definition "
        "static_assert_declaration template_declaration throw_statement try_statement "
        "using_declaration access_specifier"
    ),
    block_nodes=_names(_C_BLOCKS),
    definition_nodes=_names(
        "function_definition class_specifier struct_specifier union_specifier enum_specifier "
        "namespace_definition type_definition alias_declaration concept_definition "
        "lambda_expression preproc_function_def"
    ),
    comment_nodes=_names("comment"),
    string_nodes=_names("string_literal raw_string_literal char_literal concatenated_string"),
)
CSHARP = Language(
    name="csharp",
    ids=("csharp", "c#", "cs"),
    suffixes=(".cs", ".csx"),
    file_names=(),
    wheel="tree_sitter_c_sharp",
    loader="language",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=('"""', '"', "'"),
    block_style="brace",
    statement_nodes=_names(
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
    block_nodes=_names(
        "compilation_unit block declaration_list switch_body switch_section accessor_list "
        "enum_member_declaration_list"
    ),
    definition_nodes=_names(
        "class_declaration constructor_declaration delegate_declaration enum_declaration "
        "interface_declaration local_function_statement method_declaration property_declaration "
        "record_declaration struct_declaration lambda_expression"
    ),
    comment_nodes=_names("comment"),
    string_nodes=_names(
        "string_literal verbatim_string_literal raw_string_literal character_literal "
        "interpolated_string_expression"
    ),
)
RUBY = Language(
    name="ruby",
    ids=("ruby", "rb"),
    suffixes=(".rb", ".rake", ".gemspec", ".ru"),
    file_names=("Rakefile", "Gemfile", "Vagrantfile", "Podfile", "Brewfile"),
    wheel="tree_sitter_ruby",
    loader="language",
    line_comment="#",
    block_comment=("=begin", "=end"),
    quotes=('"', "'", "`"),
    block_style="keyword",
    statement_nodes=_names(
        "alias assignment begin break call case case_match class for if if_modifier method module "
        "next operator_assignment rescue_modifier return singleton_class singleton_method undef "
        "unless unless_modifier until until_modifier while while_modifier yield redo retry"
    ),
    block_nodes=_names(
        "program body_statement block_body do_block then else begin do ensure begin_block end_block"
    ),
    definition_nodes=_names("class method module singleton_class singleton_method"),
    comment_nodes=_names("comment"),
    string_nodes=_names("string chained_string heredoc_body subshell"),
)
PHP = Language(
    name="php",
    ids=("php",),
    suffixes=(".php", ".phtml", ".php3", ".php4", ".php5", ".phps"),
    file_names=(),
    wheel="tree_sitter_php",
    loader="language_php",
    line_comment="//",
    block_comment=_C_COMMENT,
    quotes=('"', "'", "`"),
    block_style="brace",
    statement_nodes=_names(
        "break_statement class_declaration compound_statement const_declaration continue_statement "
        "declare_statement do_statement echo_statement enum_declaration exit_statement "
        "expression_statement for_statement foreach_statement function_definition "
        "function_static_declaration global_declaration goto_statement if_statement "
        "interface_declaration method_declaration namespace_definition namespace_use_declaration "
        "property_declaration return_statement switch_statement trait_declaration try_statement "
        "unset_statement use_declaration while_statement"
    ),
    block_nodes=_names(
        "program compound_statement colon_block declaration_list enum_declaration_list "
        "switch_block case_statement default_statement match_block"
    ),
    definition_nodes=_names(
        "class_declaration enum_declaration function_definition interface_declaration "
        "method_declaration trait_declaration anonymous_function arrow_function"
    ),
    comment_nodes=_names("comment"),
    string_nodes=_names("string encapsed_string heredoc nowdoc"),
)
BASH = Language(
    name="shellscript",
    ids=("shellscript", "bash", "sh", "shell", "zsh", "ksh"),
    suffixes=(".sh", ".bash", ".zsh", ".ksh", ".bats"),
    file_names=(".bashrc", ".bash_profile", ".bash_aliases", ".profile", ".zshrc", ".zprofile", "PKGBUILD"),
    wheel="tree_sitter_bash",
    loader="language",
    line_comment="#",
    block_comment=None,
    quotes=('"', "'", "`"),
    block_style="keyword",
    statement_nodes=_names(
        "c_style_for_statement case_statement command compound_statement declaration_command "
        "for_statement function_definition if_statement list negated_command pipeline "
        "redirected_statement subshell test_command unset_command variable_assignment "
        "while_statement case_item"
    ),
    block_nodes=_names("program compound_statement do_group subshell case_item else_clause elif_clause"),
    definition_nodes=_names("function_definition"),
    comment_nodes=_names("comment"),
    string_nodes=_names("string raw_string ansi_c_string translated_string heredoc_body"),
)

LANGUAGES: tuple[Language, ...] = (
    PYTHON,
    JAVASCRIPT,
    TYPESCRIPT,
    TSX,
    GO,
    RUST,
    JAVA,
    C,
    CPP,
    CSHARP,
    RUBY,
    PHP,
    BASH,
)
