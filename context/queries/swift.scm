; Definitions
(class_declaration ["class" "struct" "actor"] name: (type_identifier) @name body: (_) @body) @definition.class
(class_declaration "enum" name: (type_identifier) @name body: (_) @body) @definition.enum
(class_declaration "extension" name: (_) @parent) @scope
(protocol_declaration name: (type_identifier) @name body: (_) @body) @definition.interface
(inheritance_specifier inherits_from: (_) @base)
(enum_entry name: (simple_identifier) @name) @definition.variant
(function_declaration name: (simple_identifier) @name) @definition.function
(function_declaration
  [(user_type) (optional_type) (array_type) (dictionary_type) (tuple_type) (function_type) (opaque_type) (existential_type)] @returns)
(protocol_function_declaration
  [(user_type) (optional_type) (array_type) (dictionary_type) (tuple_type) (function_type) (opaque_type) (existential_type)] @returns)
(function_body) @body
(protocol_function_declaration name: (simple_identifier) @name) @definition.function
(init_declaration "init" @name) @definition.function
(property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.variable
(property_declaration (type_annotation (_) @type))
(property_declaration value: (call_expression . (_) @callee))
(property_declaration computed_value: (_) @body)
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.field
(protocol_property_declaration (type_annotation (_) @type))
(typealias_declaration name: (type_identifier) @name (_) @type .) @definition.type
(associatedtype_declaration name: (type_identifier) @name) @definition.type
(parameter name: (simple_identifier) @name
  [(user_type) (optional_type) (array_type) (dictionary_type) (tuple_type) (function_type) (opaque_type) (existential_type)] @type) @binding
(parameter external_name: (_) @ignore)
(attribute) @decorator
(lambda_literal) @closure
(value_argument_label (simple_identifier) @ignore)
(type_parameter (type_identifier) @ignore)

; Documentation
(comment) @comment
(multiline_comment) @comment

; Imports
(import_declaration (identifier) @module) @import @wildcard

; Uses
(simple_identifier) @reference.name
(type_identifier) @reference.type
(navigation_suffix suffix: (simple_identifier) @reference.member)
(navigation_expression target: (_) @receiver)
(call_expression . (simple_identifier) @reference.call)
(call_expression . (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @reference.call)))
