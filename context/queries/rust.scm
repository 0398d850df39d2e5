; Definitions
(struct_item name: (type_identifier) @name) @definition.class
(struct_item body: (field_declaration_list) @body)
(union_item name: (type_identifier) @name body: (field_declaration_list) @body) @definition.class
(enum_item name: (type_identifier) @name body: (enum_variant_list) @body) @definition.enum
(enum_variant name: (identifier) @name) @definition.variant
(trait_item name: (type_identifier) @name body: (declaration_list) @body) @definition.interface
(trait_item bounds: (trait_bounds (_) @base))
(impl_item type: (_) @parent) @scope
(impl_item trait: (_) @base)
(function_item name: (identifier) @name body: (block) @body) @definition.function
(function_item return_type: (_) @returns)
(function_signature_item name: (identifier) @name) @definition.function
(function_signature_item return_type: (_) @returns)
(field_declaration name: (field_identifier) @name type: (_) @type) @definition.field
(type_item name: (type_identifier) @name type: (_) @type) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(const_item name: (identifier) @name type: (_) @type) @definition.variable
(static_item name: (identifier) @name type: (_) @type) @definition.variable
(mod_item name: (identifier) @name body: (declaration_list) @body) @definition.module
(macro_definition name: (identifier) @name . (_) @body) @definition.macro
(attribute_item) @prelude
(closure_expression) @closure
(let_declaration pattern: (identifier) @name) @binding
(let_declaration pattern: (mut_pattern (identifier) @name)) @binding
(let_declaration type: (_) @type)
(let_declaration value: (call_expression function: [(identifier) (scoped_identifier)] @callee))
(let_declaration value: (try_expression (call_expression function: [(identifier) (scoped_identifier)] @callee)))
(let_declaration value: (struct_expression name: (_) @type))
(parameter pattern: (identifier) @name type: (_) @type) @binding
(parameter pattern: (mut_pattern (identifier) @name) type: (_) @type) @binding
(closure_parameters (identifier) @ignore)
(type_parameter name: (type_identifier) @ignore)

; Documentation
(line_comment) @comment
(block_comment) @comment

; Imports
(use_declaration argument: (_) @path) @import
(use_declaration (visibility_modifier) @exported)
(extern_crate_declaration name: (identifier) @module) @import
(mod_item name: (identifier) @submodule !body) @import

; Uses
(identifier) @reference.name
(type_identifier) @reference.type
(field_expression field: (field_identifier) @reference.member) @access
(scoped_identifier name: (identifier) @reference.member) @access
(scoped_type_identifier name: (type_identifier)) @access
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (field_identifier) @reference.call))
(call_expression function: (scoped_identifier name: (identifier) @reference.call))
(call_expression function: (generic_function function: (identifier) @reference.call))
(call_expression function: (generic_function
  function: (scoped_identifier name: (identifier) @reference.call)))
(call_expression function: (generic_function
  function: (field_expression field: (field_identifier) @reference.call)))
(macro_invocation macro: (identifier) @reference.call)
(field_initializer field: (field_identifier) @reference.member)
