; inherits: ecmascript
(abstract_class_declaration name: (_) @name body: (class_body) @body) @definition.class
(interface_declaration name: (type_identifier) @name body: (_) @body) @definition.interface
(enum_declaration name: (identifier) @name body: (enum_body) @body) @definition.enum
(enum_body name: (property_identifier) @name @definition.variant)
(enum_assignment name: (property_identifier) @name) @definition.variant
(type_alias_declaration name: (type_identifier) @name value: (_) @type) @definition.type
(internal_module name: (_) @name body: (_) @body) @definition.module
(module name: (identifier) @name body: (_) @body) @definition.module
(extends_clause value: (_) @base)
(implements_clause (_) @base)
(extends_type_clause type: (_) @base)
(function_signature name: (identifier) @name) @definition.function
(method_signature name: (property_identifier) @name) @definition.function
(abstract_method_signature name: (property_identifier) @name) @definition.function
(property_signature name: (property_identifier) @name) @definition.field
(property_signature type: (type_annotation) @type)
(public_field_definition
  name: [(property_identifier) (private_property_identifier)] @name) @definition.field
(public_field_definition
  name: [(property_identifier) (private_property_identifier)] @name
  value: (arrow_function body: (_) @body)) @definition.function
(public_field_definition type: (type_annotation) @type)
(public_field_definition value: (new_expression constructor: (_) @callee))
(variable_declarator type: (type_annotation) @type)
(variable_declarator value: (arrow_function return_type: (type_annotation) @returns))
(function_declaration return_type: (_) @returns)
(generator_function_declaration return_type: (_) @returns)
(method_definition return_type: (_) @returns)
(function_signature return_type: (_) @returns)
(method_signature return_type: (_) @returns)
(abstract_method_signature return_type: (_) @returns)
(ambient_declaration) @outer
(required_parameter pattern: (identifier) @name) @binding
(optional_parameter pattern: (identifier) @name) @binding
(required_parameter type: (type_annotation) @type)
(optional_parameter type: (type_annotation) @type)
(required_parameter (accessibility_modifier) @promoted pattern: (identifier) @name) @definition.field
(optional_parameter (accessibility_modifier) @promoted pattern: (identifier) @name) @definition.field
(required_parameter "readonly" @promoted pattern: (identifier) @name) @definition.field
(required_parameter pattern: (rest_pattern (identifier) @name)) @binding
(type_parameter name: (type_identifier) @ignore)

(import_require_clause (identifier) @alias source: (string) @module)

(type_identifier) @reference.type
(nested_type_identifier name: (type_identifier) @reference.type) @access
(extends_clause value: (identifier) @reference.type)
