; Definitions
(namespace_declaration name: (_) @package)
(file_scoped_namespace_declaration name: (_) @package)
(class_declaration name: (identifier) @name body: (_) @body) @definition.class
(struct_declaration name: (identifier) @name body: (_) @body) @definition.class
(record_declaration name: (identifier) @name) @definition.class
(record_declaration body: (_) @body)
(record_declaration (parameter_list (parameter type: (_) @type name: (identifier) @name) @definition.field))
(interface_declaration name: (identifier) @name body: (_) @body) @definition.interface
(enum_declaration name: (identifier) @name body: (_) @body) @definition.enum
(enum_member_declaration name: (identifier) @name) @definition.variant
(delegate_declaration type: (_) @type name: (identifier) @name) @definition.type
(base_list (_) @base)
(method_declaration returns: (_) @returns name: (identifier) @name) @definition.function
(method_declaration body: (_) @body)
(local_function_statement type: (_) @returns name: (identifier) @name body: (_) @body) @definition.function
(constructor_declaration name: (identifier) @name body: (_) @body) @definition.function
(field_declaration (variable_declaration type: (_) @type (variable_declarator name: (identifier) @name))) @definition.field
(event_field_declaration (variable_declaration type: (_) @type (variable_declarator name: (identifier) @name))) @definition.field
(property_declaration type: (_) @type name: (identifier) @name) @definition.field
(property_declaration accessors: (_) @body)
(property_declaration value: (arrow_expression_clause) @body)
(local_declaration_statement (variable_declaration
  type: (_) @type (variable_declarator name: (identifier) @name))) @binding
(local_declaration_statement (variable_declaration (variable_declarator
  (object_creation_expression type: (_) @callee))))
(local_declaration_statement (variable_declaration (variable_declarator
  (invocation_expression function: (_) @callee))))
(local_declaration_statement (variable_declaration (variable_declarator
  (await_expression (invocation_expression function: (_) @callee)))))
(parameter type: (_) @type name: (identifier) @name) @binding
(foreach_statement type: (_) @type left: (identifier) @name) @binding
(attribute_list) @decorator
(lambda_expression) @closure
(anonymous_method_expression) @closure
(type_parameter name: (identifier) @ignore)
(implicit_parameter) @ignore

; Documentation
(comment) @comment

; Imports: a directive takes all of a namespace
(using_directive !name [(identifier) (qualified_name)] @module) @import @wildcard
(using_directive name: (identifier) @alias (_) @module .) @import

; Uses
(identifier) @reference.name
(generic_name (identifier) @reference.type)
(qualified_name name: (identifier) @reference.type) @access
(parameter type: (identifier) @reference.type)
(variable_declaration type: (identifier) @reference.type)
(property_declaration type: (identifier) @reference.type)
(method_declaration returns: (identifier) @reference.type)
(base_list (identifier) @reference.type)
(type_argument_list (identifier) @reference.type)
(array_type type: (identifier) @reference.type)
(nullable_type type: (identifier) @reference.type)
(attribute name: (identifier) @reference.type)
(object_creation_expression type: (identifier) @reference.call)
(object_creation_expression type: (generic_name (identifier) @reference.call))
(member_access_expression expression: (_)? @receiver name: (identifier) @reference.member)
(member_access_expression expression: (_)? @receiver name: (generic_name (identifier) @reference.member))
(conditional_access_expression condition: (_) @receiver)
(member_binding_expression name: (identifier) @reference.member)
(invocation_expression function: (identifier) @reference.call)
(invocation_expression function: (generic_name (identifier) @reference.call))
(invocation_expression function: (member_access_expression name: (identifier) @reference.call))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @reference.call)))
(invocation_expression function: (conditional_access_expression
  (member_binding_expression name: (identifier) @reference.call)))
