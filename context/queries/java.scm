; Definitions
(package_declaration (_) @package)
(class_declaration name: (identifier) @name body: (class_body) @body) @definition.class
(record_declaration name: (identifier) @name body: (class_body) @body) @definition.class
(interface_declaration name: (identifier) @name body: (interface_body) @body) @definition.interface
(annotation_type_declaration name: (identifier) @name body: (_) @body) @definition.interface
(enum_declaration name: (identifier) @name body: (enum_body) @body) @definition.enum
(enum_constant name: (identifier) @name) @definition.variant
(superclass (_) @base)
(super_interfaces (type_list (_) @base))
(extends_interfaces (type_list (_) @base))
(method_declaration type: (_) @returns name: (identifier) @name) @definition.function
(method_declaration body: (block) @body)
(annotation_type_element_declaration type: (_) @returns name: (identifier) @name) @definition.function
(constructor_declaration name: (identifier) @name body: (constructor_body) @body) @definition.function
(compact_constructor_declaration name: (identifier) @name body: (block) @body) @definition.function
(field_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @name)) @definition.field
(constant_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @name)) @definition.field
(record_declaration parameters: (formal_parameters
  (formal_parameter type: (_) @type name: (identifier) @name) @definition.field))
(modifiers [(annotation) (marker_annotation)] @decorator)
(lambda_expression) @closure
(local_variable_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @name)) @binding
(local_variable_declaration declarator: (variable_declarator value: (object_creation_expression type: (_) @callee)))
(local_variable_declaration declarator: (variable_declarator value: (method_invocation) @callee))
(formal_parameter type: (_) @type name: (identifier) @name) @binding
(spread_parameter . (_) @type (variable_declarator name: (identifier) @name)) @binding
(enhanced_for_statement type: (_) @type name: (identifier) @name) @binding
(resource type: (_) @type name: (identifier) @name) @binding
(catch_formal_parameter (catch_type) @type name: (identifier) @name) @binding
(inferred_parameters (identifier) @ignore)
(lambda_expression parameters: (identifier) @ignore)
(type_parameter (type_identifier) @ignore)

; Documentation
(block_comment) @comment
(line_comment) @comment

; Imports
(import_declaration (_) @path) @import
(import_declaration (asterisk) @wildcard)

; Uses
(identifier) @reference.name
(type_identifier) @reference.type
(field_access field: (identifier) @reference.member) @access
(scoped_type_identifier (type_identifier) .) @access
(method_invocation object: (_)? @receiver name: (identifier) @reference.call)
(object_creation_expression type: (type_identifier) @reference.call)
(object_creation_expression type: (generic_type (type_identifier) @reference.call))
(method_reference . (_) @receiver (identifier) @reference.member .)
(annotation name: (identifier) @reference.type)
(marker_annotation name: (identifier) @reference.type)
