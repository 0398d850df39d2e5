"""Scripting languages: Python, Ruby, PHP, shell, Lua."""

from __future__ import annotations

from .record import C_COMMENT, Language, names

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
    statement_nodes=names(
        "assert_statement break_statement class_definition continue_statement decorated_definition "
        "delete_statement exec_statement expression_statement for_statement function_definition "
        "future_import_statement global_statement if_statement import_from_statement "
        "import_statement match_statement nonlocal_statement pass_statement print_statement "
        "raise_statement return_statement try_statement type_alias_statement while_statement "
        "with_statement"
    ),
    block_nodes=names("module block"),
    definition_nodes=names("class_definition function_definition"),
    comment_nodes=names("comment"),
    string_nodes=names("string concatenated_string"),
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
    statement_nodes=names(
        "alias assignment begin break call case case_match class for if if_modifier method module "
        "next operator_assignment rescue_modifier return singleton_class singleton_method undef "
        "unless unless_modifier until until_modifier while while_modifier yield redo retry"
    ),
    block_nodes=names(
        "program body_statement block_body do_block then else begin do ensure begin_block end_block"
    ),
    definition_nodes=names("class method module singleton_class singleton_method"),
    comment_nodes=names("comment"),
    string_nodes=names("string chained_string heredoc_body subshell"),
    path_separator="::",
    importers=names("require require_relative load"),
    relative_importers=names("require_relative"),
    field_makers=names("attr_accessor attr_reader attr_writer"),
)
PHP = Language(
    name="php",
    ids=("php",),
    suffixes=(".php", ".phtml", ".php3", ".php4", ".php5", ".phps"),
    file_names=(),
    wheel="tree_sitter_php",
    loader="language_php",
    line_comment="//",
    block_comment=C_COMMENT,
    quotes=('"', "'", "`"),
    block_style="brace",
    statement_nodes=names(
        "break_statement class_declaration compound_statement const_declaration continue_statement "
        "declare_statement do_statement echo_statement enum_declaration exit_statement "
        "expression_statement for_statement foreach_statement function_definition "
        "function_static_declaration global_declaration goto_statement if_statement "
        "interface_declaration method_declaration namespace_definition namespace_use_declaration "
        "property_declaration return_statement switch_statement trait_declaration try_statement "
        "unset_statement use_declaration while_statement"
    ),
    block_nodes=names(
        "program compound_statement colon_block declaration_list enum_declaration_list "
        "switch_block case_statement default_statement match_block"
    ),
    definition_nodes=names(
        "class_declaration enum_declaration function_definition interface_declaration "
        "method_declaration trait_declaration anonymous_function arrow_function"
    ),
    comment_nodes=names("comment"),
    string_nodes=names("string encapsed_string heredoc nowdoc"),
    path_separator="\\",
    self_names=names("$this"),
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
    statement_nodes=names(
        "c_style_for_statement case_statement command compound_statement declaration_command "
        "for_statement function_definition if_statement list negated_command pipeline "
        "redirected_statement subshell test_command unset_command variable_assignment "
        "while_statement case_item"
    ),
    block_nodes=names("program compound_statement do_group subshell case_item else_clause elif_clause"),
    definition_nodes=names("function_definition"),
    comment_nodes=names("comment"),
    string_nodes=names("string raw_string ansi_c_string translated_string heredoc_body"),
    importers=names("source ."),
)
LUA = Language(
    name="lua",
    ids=("lua", "luau"),
    suffixes=(".lua", ".rockspec"),
    file_names=(".luacheckrc",),
    wheel="tree_sitter_lua",
    loader="language",
    line_comment="--",
    block_comment=("--[[", "]]"),
    quotes=('"', "'"),
    block_style="keyword",
    statement_nodes=names(
        "assignment_statement break_statement do_statement empty_statement for_statement "
        "function_call function_declaration goto_statement if_statement label_statement "
        "repeat_statement return_statement variable_declaration while_statement"
    ),
    block_nodes=names("chunk block"),
    definition_nodes=names("function_declaration function_definition"),
    comment_nodes=names("comment"),
    string_nodes=names("string"),
    importers=names("require dofile loadfile"),
)
