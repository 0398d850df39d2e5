; Definitions
(namespace_definition name: (_) @package)
(class_declaration name: (name) @name body: (_) @body) @definition.class
(interface_declaration name: (name) @name body: (_) @body) @definition.interface
(trait_declaration name: (name) @name body: (_) @body) @definition.interface
(enum_declaration name: (name) @name body: (_) @body) @definition.enum
(enum_case name: (name) @name) @definition.variant
(base_clause (_) @base)
(class_interface_clause (_) @base)
(use_declaration (_) @base)
(function_definition name: (name) @name body: (_) @body) @definition.function
(function_definition return_type: (_) @returns)
(method_declaration name: (name) @name) @definition.function
(method_declaration body: (_) @body)
(method_declaration return_type: (_) @returns)
(property_declaration (property_element name: (variable_name) @name)) @definition.field
(property_declaration type: (_) @type)
(const_declaration (const_element . (name) @name)) @definition.variable
(assignment_expression left: (member_access_expression
  object: (variable_name) @self name: (name) @name)) @definition.field
(assignment_expression left: (variable_name) @name) @binding
(assignment_expression right: (object_creation_expression . (_) @callee))
(assignment_expression right: [(function_call_expression) (member_call_expression) (scoped_call_expression)] @callee)
(assignment_expression right: (variable_name) @value)
(property_promotion_parameter visibility: (_) @promoted name: (variable_name) @name) @definition.field
(property_promotion_parameter type: (_) @type)
(simple_parameter type: (_) @type name: (variable_name) @name) @binding
(variadic_parameter type: (_) @type name: (variable_name) @name) @binding
(catch_clause type: (_) @type name: (variable_name) @name) @binding
(attribute_list) @decorator
(anonymous_function) @closure
(arrow_function) @closure

; Documentation
(comment) @comment

; Imports
(namespace_use_declaration) @import @path
(require_expression [
  (string (string_content) @module)
  (binary_expression right: (string (string_content) @module))
]) @import
(require_once_expression [
  (string (string_content) @module)
  (binary_expression right: (string (string_content) @module))
]) @import
(include_expression [
  (string (string_content) @module)
  (binary_expression right: (string (string_content) @module))
]) @import
(include_once_expression [
  (string (string_content) @module)
  (binary_expression right: (string (string_content) @module))
]) @import

; Uses
(named_type (name) @reference.type)
(qualified_name (name) @reference.type) @access
(base_clause (name) @reference.type)
(class_interface_clause (name) @reference.type)
(use_declaration (name) @reference.type)
(attribute (name) @reference.type)
(object_creation_expression . (name) @reference.call)
(object_creation_expression . (qualified_name (name) @reference.call))
(function_call_expression function: (name) @reference.call)
(function_call_expression function: (qualified_name (name) @reference.call))
(member_access_expression object: (_) @receiver name: (name) @reference.member)
(nullsafe_member_access_expression object: (_) @receiver name: (name) @reference.member)
(member_call_expression object: (_) @receiver name: (name) @reference.call)
(nullsafe_member_call_expression object: (_) @receiver name: (name) @reference.call)
(scoped_call_expression scope: (_) @receiver name: (name) @reference.call)
(scoped_call_expression scope: (name) @reference.type)
(class_constant_access_expression . (_) @receiver (name) @reference.member .)
(class_constant_access_expression . (name) @reference.type)
