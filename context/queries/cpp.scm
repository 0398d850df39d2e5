; inherits: c
(class_specifier name: (_) @name body: (_) @body) @definition.class
(base_class_clause [(type_identifier) (template_type) (qualified_identifier)] @base)
(namespace_definition name: (_) @name body: (_) @body) @definition.module
(alias_declaration name: (type_identifier) @name type: (_) @type) @definition.type
(concept_definition name: (identifier) @name . (_) @body) @definition.type
(template_declaration) @outer
(function_declarator declarator: (qualified_identifier) @qualified)
(function_declarator declarator: [(destructor_name) (operator_name)] @name)
(field_declaration declarator: (reference_declarator (function_declarator))) @definition.function
(declaration declarator: (reference_declarator (function_declarator))) @definition.function
(reference_declarator [(identifier) (field_identifier)] @name)
(trailing_return_type (_) @returns)
(init_declarator value: (new_expression type: (_) @callee))
(optional_parameter_declaration type: (_) @type) @binding
(optional_parameter_declaration declarator: (identifier) @name)
(for_range_loop type: (_) @type declarator: [
  (identifier) @name
  (reference_declarator (identifier) @name)
  (pointer_declarator declarator: (identifier) @name)
]) @binding
(lambda_expression) @closure
(type_parameter_declaration (type_identifier) @ignore)

(namespace_identifier) @reference.name
(qualified_identifier name: (identifier) @reference.member) @access
(qualified_identifier name: (type_identifier)) @access
(qualified_identifier name: (template_type name: (type_identifier) @reference.type))
(call_expression function: (qualified_identifier name: (identifier) @reference.call))
(call_expression function: (qualified_identifier
  name: (qualified_identifier name: (identifier) @reference.call)))
(template_function name: (identifier) @reference.call)
(new_expression type: (type_identifier) @reference.call)
(field_initializer (field_identifier) @reference.member)
