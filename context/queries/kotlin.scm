; Definitions
(package_header (_) @package)
(class_declaration "class" name: (identifier) @name) @definition.class
(class_declaration (enum_class_body)) @definition.enum
(class_declaration "interface" name: (identifier) @name) @definition.interface
(class_declaration [(class_body) (enum_class_body)] @body)
(object_declaration name: (identifier) @name) @definition.class
(object_declaration (class_body) @body)
(delegation_specifier [(user_type) @base (constructor_invocation (user_type) @base)])
(enum_entry . (identifier) @name) @definition.variant
(class_parameter ["val" "var"] (identifier) @name . (_) @type) @definition.field
(class_parameter (identifier) @name . (_) @type) @binding
(function_declaration name: (identifier) @name) @definition.function
(function_declaration (function_body) @body)
(function_declaration (function_value_parameters) . [(user_type) (nullable_type) (function_type)] @returns)
(secondary_constructor "constructor" @name (block)? @body) @definition.function
(property_declaration (variable_declaration . (identifier) @name)) @definition.variable
(property_declaration (variable_declaration (identifier) . (_) @type))
(property_declaration (call_expression . (_) @callee))
(property_declaration (getter) @body)
(type_alias type: (identifier) @name (_) @type .) @definition.type
(function_value_parameters (parameter . (identifier) @name . (_) @type) @binding)
(annotation) @decorator
(lambda_literal) @closure
(anonymous_function) @closure
(lambda_parameters (variable_declaration (identifier) @ignore))
(type_parameter (identifier) @ignore)
(value_argument . (identifier) @ignore . "=")

; Documentation
(block_comment) @comment
(line_comment) @comment

; Imports
(import (qualified_identifier) @path) @import
(import (qualified_identifier) "as" (identifier) @alias)
(import "*" @wildcard)

; Uses
(identifier) @reference.name
(user_type (identifier) @reference.type)
(navigation_expression (_) (identifier) @reference.member .) @access
(call_expression . (identifier) @reference.call)
(call_expression . (navigation_expression (_) (identifier) @reference.call .))
