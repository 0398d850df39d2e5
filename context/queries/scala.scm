; Definitions
(package_clause name: (_) @package)
(class_definition name: (_) @name) @definition.class
(class_definition body: (_) @body)
(object_definition name: (_) @name) @definition.class
(object_definition body: (_) @body)
(trait_definition name: (_) @name) @definition.interface
(trait_definition body: (_) @body)
(enum_definition name: (_) @name body: (_) @body) @definition.enum
(simple_enum_case name: (_) @name) @definition.variant
(full_enum_case name: (_) @name) @definition.variant
(extends_clause [(type_identifier) (generic_type) (stable_type_identifier)] @base)
(class_parameter name: (identifier) @name type: (_) @type) @definition.field
(function_definition name: (_) @name body: (_) @body) @definition.function
(function_definition return_type: (_) @returns)
(function_declaration name: (_) @name) @definition.function
(function_declaration return_type: (_) @returns)
(val_definition pattern: (identifier) @name) @definition.variable
(var_definition pattern: (identifier) @name) @definition.variable
(val_declaration name: (identifier) @name) @definition.variable
(var_declaration name: (identifier) @name) @definition.variable
(val_definition type: (_) @type)
(var_definition type: (_) @type)
(val_declaration type: (_) @type)
(var_declaration type: (_) @type)
(val_definition value: [(call_expression function: (_) @callee) (instance_expression . (_) @callee)])
(var_definition value: [(call_expression function: (_) @callee) (instance_expression . (_) @callee)])
(type_definition name: (type_identifier) @name) @definition.type
(type_definition type: (_) @type)
(parameter name: (identifier) @name type: (_) @type) @binding
(annotation) @decorator
(lambda_expression) @closure
(type_parameters name: (_) @ignore)
(bindings (binding name: (identifier) @ignore))

; Documentation
(block_comment) @comment
(comment) @comment

; Imports
(import_declaration) @import @path
(export_declaration) @import @path @exported

; Uses
(identifier) @reference.name
(type_identifier) @reference.type
(field_expression field: (identifier) @reference.member) @access
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (identifier) @reference.call))
(call_expression function: (generic_function function: (identifier) @reference.call))
(call_expression function: (generic_function function: (field_expression field: (identifier) @reference.call)))
(instance_expression . (type_identifier) @reference.call)
(instance_expression . (generic_type type: (type_identifier) @reference.call))
