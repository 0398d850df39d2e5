; Definitions
(package_clause (package_identifier) @package)
(type_declaration "type" . (type_spec) .) @outer
(type_spec name: (type_identifier) @name) @definition.type
(type_spec type: (struct_type (field_declaration_list) @body)) @definition.class
(type_spec type: (interface_type "{" @body)) @definition.interface
(type_spec type: [(function_type) (map_type) (slice_type) (array_type) (channel_type)
  (pointer_type) (type_identifier) (qualified_type) (generic_type)] @type)
(type_alias name: (type_identifier) @name type: (_) @type) @definition.type
(field_declaration name: (field_identifier) @name type: (_) @type) @definition.field
(field_declaration !name type: (type_identifier) @base)
(field_declaration !name type: (qualified_type) @base)
(field_declaration !name type: (generic_type) @base)
(method_elem name: (field_identifier) @name) @definition.function
(method_elem result: (_) @returns)
(interface_type (type_elem . [(type_identifier) (qualified_type) (generic_type)] @base .))
(function_declaration name: (identifier) @name body: (block) @body) @definition.function
(function_declaration result: (_) @returns)
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @parent
    (generic_type type: (type_identifier) @parent)
    (pointer_type [(type_identifier) @parent (generic_type type: (type_identifier) @parent)])
  ]))
  name: (field_identifier) @name
  body: (block) @body) @definition.function
(method_declaration result: (_) @returns)
(const_declaration "const" . (const_spec) .) @outer
(var_declaration "var" . (var_spec) .) @outer
(const_spec name: (identifier) @name) @definition.variable
(var_spec name: (identifier) @name) @definition.variable
(const_spec type: (_) @type)
(var_spec type: (_) @type)
(var_spec value: (expression_list . (call_expression function: (_) @callee)))
(var_spec value: (expression_list . (composite_literal type: (_) @type)))
(var_spec value: (expression_list . (unary_expression operand: (composite_literal type: (_) @type))))
(func_literal) @closure
(short_var_declaration left: (expression_list . (identifier) @name)) @binding
(short_var_declaration left: (expression_list (identifier) @ignore))
(short_var_declaration right: (expression_list . (call_expression function: (_) @callee)))
(short_var_declaration right: (expression_list . (composite_literal type: (_) @type)))
(short_var_declaration right: (expression_list . (unary_expression
  operand: (composite_literal type: (_) @type))))
(parameter_declaration name: (identifier) @name type: (_) @type) @binding
(variadic_parameter_declaration name: (identifier) @name type: (_) @type) @binding
(range_clause left: (expression_list (identifier) @ignore))
(type_parameter_declaration name: (identifier) @ignore)

; Documentation
(comment) @comment

; Imports
(import_spec path: (_) @module) @import
(import_spec name: (package_identifier) @alias)
(import_spec name: (dot) @wildcard)

; Uses
(identifier) @reference.name
(type_identifier) @reference.type
(selector_expression field: (field_identifier) @reference.member) @access
(call_expression function: (identifier) @reference.call)
(call_expression function: (selector_expression field: (field_identifier) @reference.call))
(qualified_type name: (type_identifier)) @access
(keyed_element key: (literal_element (identifier) @reference.member))
