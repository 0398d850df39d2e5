; What JavaScript and TypeScript have in common; their own files inherit it.

; Definitions
(class_declaration name: (_) @name body: (class_body) @body) @definition.class
(class name: (_) @name body: (class_body) @body) @definition.class
(function_declaration name: (identifier) @name body: (statement_block) @body) @definition.function
(generator_function_declaration name: (identifier) @name body: (statement_block) @body) @definition.function
(method_definition
  name: [(property_identifier) (private_property_identifier)] @name
  body: (statement_block) @body) @definition.function
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (statement_block) @body)
    (generator_function body: (statement_block) @body)
  ]) @definition.function
(assignment_expression
  left: (member_expression
    object: [(identifier) (member_expression)] @parent
    property: (property_identifier) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (statement_block) @body)
  ]) @definition.function
(variable_declarator name: (identifier) @name) @definition.variable
(variable_declarator name: (object_pattern [
  (shorthand_property_identifier_pattern) @name
  (pair_pattern value: (identifier) @name)
  (object_assignment_pattern left: (shorthand_property_identifier_pattern) @name)
])) @definition.variable
(variable_declarator name: (array_pattern (identifier) @name)) @definition.variable
(variable_declarator value: (new_expression constructor: (_) @callee))
(variable_declarator value: (call_expression function: [(identifier) (member_expression)] @callee))
(variable_declarator value: (await_expression
  (call_expression function: [(identifier) (member_expression)] @callee)))
(assignment_expression left: (member_expression
  object: (this) @self
  property: [(property_identifier) (private_property_identifier)] @name)) @definition.field
(assignment_expression right: (new_expression constructor: (_) @callee))
(assignment_expression right: (identifier) @value)
(export_statement) @outer
(lexical_declaration) @outer
(variable_declaration) @outer
(decorator) @decorator
(arrow_function) @closure
(function_expression) @closure
(generator_function) @closure

; Documentation
(comment) @comment

; Imports
(import_statement) @import
(import_statement source: (string) @module)
(import_clause (identifier) @default)
(import_specifier name: (identifier) @name !alias)
(import_specifier name: (_) @name alias: (identifier) @alias) @item
(namespace_import (identifier) @alias)
(export_statement source: (string) @module @exported) @import
(export_specifier name: (identifier) @name !alias)
(export_specifier name: (_) @name alias: (_) @alias) @item
(namespace_export (_) @alias)
(export_statement "*" @wildcard)
(call_expression
  function: [(identifier) (import)] @function
  arguments: (arguments . (string) @module .)) @import

; Uses
(identifier) @reference.name
(shorthand_property_identifier) @reference.name
(member_expression
  property: [(property_identifier) (private_property_identifier)] @reference.member) @access
(call_expression function: (identifier) @reference.call)
(call_expression function: (member_expression
  property: [(property_identifier) (private_property_identifier)] @reference.call))
(new_expression constructor: (identifier) @reference.call)
(new_expression constructor: (member_expression property: (property_identifier) @reference.call))
(arrow_function parameter: (identifier) @ignore)
(for_in_statement left: (identifier) @ignore)
(catch_clause parameter: (identifier) @ignore)
