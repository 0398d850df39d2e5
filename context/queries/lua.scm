; Definitions
(function_declaration name: (identifier) @name) @definition.function
(function_declaration name: (dot_index_expression table: (_) @parent field: (identifier) @name)) @definition.function
(function_declaration name: (method_index_expression table: (_) @parent method: (identifier) @name)) @definition.function
(function_declaration body: (block) @body)
(assignment_statement
  (variable_list . name: (dot_index_expression table: (_) @parent field: (identifier) @name) .)
  (expression_list . value: (function_definition))) @definition.function
(assignment_statement
  (variable_list . name: (identifier) @name .)
  (expression_list . value: (function_definition))) @definition.function
(assignment_statement (variable_list name: (identifier) @name)) @definition.variable
(assignment_statement (variable_list name: (dot_index_expression
  table: (identifier) @self field: (identifier) @name))) @definition.field
(assignment_statement (expression_list . value: (function_call) @callee))
(variable_declaration (variable_list name: (identifier) @name)) @definition.variable
(variable_declaration (assignment_statement)) @outer
(function_definition) @closure
(function_definition body: (block) @body)
(parameters name: (identifier) @ignore)
(for_generic_clause (variable_list name: (identifier) @ignore))
(for_numeric_clause name: (identifier) @ignore)

; Documentation
(comment) @comment

; Imports
(function_call
  name: (identifier) @function
  arguments: (arguments . (string content: (string_content) @module) .)) @import

; Uses
(identifier) @reference.name
(dot_index_expression field: (identifier) @reference.member) @access
(method_index_expression method: (identifier) @reference.member) @access
(function_call name: (identifier) @reference.call)
(function_call name: (dot_index_expression field: (identifier) @reference.call))
(function_call name: (method_index_expression method: (identifier) @reference.call))
