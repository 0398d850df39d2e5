; Definitions
(function_definition name: (word) @name body: (_) @body) @definition.function
(variable_assignment name: (variable_name) @name) @definition.variable
(declaration_command) @outer

; Documentation
(comment) @comment

; Imports
(command name: (command_name (word) @function) . argument: [(word) (string) (raw_string) (concatenation)] @module) @import

; Uses
(command_name (word) @reference.call)
(simple_expansion (variable_name) @reference.name)
(expansion (variable_name) @reference.name)
