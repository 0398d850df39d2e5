; Definitions
(module name: (_) @name) @definition.module
(module body: (_) @body)
(class name: (_) @name) @definition.class
(class body: (_) @body)
(class superclass: (superclass (_) @base))
(method name: (_) @name) @definition.function
(method body: (_) @body)
(singleton_method name: (_) @name) @definition.function
(singleton_method body: (_) @body)
(assignment left: (constant) @name) @definition.variable
(assignment left: (instance_variable) @name @promoted) @definition.field
(assignment left: (class_variable) @name @promoted) @definition.field
(assignment left: (identifier) @name) @binding
(assignment right: (call receiver: (_) method: (identifier)) @callee)
(call method: (identifier) @function arguments: (argument_list (simple_symbol) @name)) @definition.field
(lambda) @closure
(method_parameters (identifier) @ignore)
(optional_parameter name: (identifier) @ignore)
(keyword_parameter name: (identifier) @ignore)
(splat_parameter name: (identifier) @ignore)
(hash_splat_parameter name: (identifier) @ignore)
(block_parameter name: (identifier) @ignore)
(block_parameters (identifier) @ignore)

; Documentation
(comment) @comment

; Imports
(call method: (identifier) @function arguments: (argument_list . (string (string_content) @module) .)) @import

; Uses
(identifier) @reference.name
(constant) @reference.name
(instance_variable) @reference.name
(scope_resolution name: (constant) @reference.member) @access
(call method: (identifier) @reference.call)
(call receiver: (_) @receiver)
(call method: (constant) @reference.call)
(superclass (constant) @reference.type)
