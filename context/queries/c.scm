; Definitions.  A declarator may be wrapped (`*f(…)`, `names[3]`), so names are matched by what holds them.
(function_definition body: (compound_statement) @body) @definition.function
(function_definition type: (_) @returns)
(declaration declarator: (function_declarator)) @definition.function
(declaration declarator: (pointer_declarator declarator: (function_declarator))) @definition.function
(declaration) @definition.variable
(declaration type: (_) @type @returns)
(field_declaration declarator: (function_declarator)) @definition.function
(field_declaration declarator: (pointer_declarator declarator: (function_declarator))) @definition.function
(field_declaration) @definition.field
(field_declaration type: (_) @type @returns)
(struct_specifier name: (_) @name body: (_) @body) @definition.class
(union_specifier name: (_) @name body: (_) @body) @definition.class
(enum_specifier name: (_) @name body: (_) @body) @definition.enum
(enumerator name: (identifier) @name) @definition.variant
(type_definition type: [
  (struct_specifier !name body: (_) @body)
  (union_specifier !name body: (_) @body)
]) @definition.class
(type_definition type: (enum_specifier !name body: (_) @body)) @definition.enum
(type_definition type: (_) @type declarator: (type_identifier) @name) @definition.type
(pointer_declarator declarator: [(identifier) (field_identifier) (type_identifier)] @name)
(array_declarator declarator: [(identifier) (field_identifier)] @name)
(function_declarator declarator: [(identifier) (field_identifier)] @name)
(init_declarator declarator: (identifier) @name)
(init_declarator value: (call_expression function: (_) @callee))
(declaration declarator: (identifier) @name)
(field_declaration declarator: (field_identifier) @name)
(parameter_declaration type: (_) @type) @binding
(parameter_declaration declarator: (identifier) @name)
(preproc_def name: (identifier) @name value: (_)) @definition.macro
(preproc_function_def name: (identifier) @name value: (_) @body) @definition.macro
(preproc_params (identifier) @ignore)

; Documentation
(comment) @comment

; Imports
(preproc_include path: (string_literal) @module) @import
(preproc_include path: (system_lib_string) @module @system) @import

; Uses
(identifier) @reference.name
(type_identifier) @reference.type
(field_expression field: (field_identifier) @reference.member) @access
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression field: (field_identifier) @reference.call))
(field_designator (field_identifier) @reference.member)
