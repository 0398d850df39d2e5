; Definitions
(class_definition
  name: (identifier) @name
  body: (block) @body) @definition.class
(class_definition
  superclasses: (argument_list
    [(identifier) (attribute) (subscript)] @base))
(function_definition
  name: (identifier) @name
  body: (block) @body) @definition.function
(function_definition return_type: (type) @returns)
(decorated_definition) @outer
(decorator) @decorator
(lambda) @closure
(type_alias_statement
  left: (type [(identifier) @name (generic_type . (identifier) @name)])
  right: (type) @type) @definition.type

; Names that are given a value: fields, variables and bindings, as the place decides
(assignment left: (identifier) @name) @definition.variable
(assignment left: (attribute
  object: (identifier) @self
  attribute: (identifier) @name)) @definition.field
(assignment type: (type) @type)
(assignment right: (call function: [(identifier) (attribute)] @callee))
(assignment right: (await (call function: [(identifier) (attribute)] @callee)))
(assignment right: (identifier) @value)
(assignment left: (pattern_list (identifier) @ignore))
(typed_parameter . (identifier) @name type: (type) @type) @binding
(typed_parameter . [(list_splat_pattern (identifier) @name) (dictionary_splat_pattern (identifier) @name)]
  type: (type) @type) @binding
(typed_default_parameter name: (identifier) @name type: (type) @type) @binding
(as_pattern
  (call function: [(identifier) (attribute)] @callee)
  alias: (as_pattern_target (identifier) @name)) @binding
(parameters (identifier) @ignore)
(lambda_parameters (identifier) @ignore)
(default_parameter name: (identifier) @ignore)
(keyword_argument name: (identifier) @ignore)
(for_statement left: (identifier) @ignore)

; Documentation
(module . (comment)* . (expression_statement (string) @doc))
(class_definition body: (block . (expression_statement (string) @doc)))
(function_definition body: (block . (expression_statement (string) @doc)))
(expression_statement (string) @after)
(comment) @remark

; Imports
(import_statement name: (dotted_name) @module) @import
(import_statement name: (aliased_import
  name: (dotted_name) @module
  alias: (identifier) @alias) @item) @import
(import_from_statement module_name: (dotted_name) @module) @import
(import_from_statement module_name: (relative_import) @relative) @import
(import_from_statement name: (dotted_name) @name)
(import_from_statement name: (aliased_import
  name: (dotted_name) @name
  alias: (identifier) @alias) @item)
(import_from_statement (wildcard_import) @wildcard)
(future_import_statement) @import

; Uses
(identifier) @reference.name
(attribute) @access
(decorator (identifier) @reference.call)
(type (identifier) @reference.type)
(type (attribute attribute: (identifier) @reference.type))
(type (generic_type (identifier) @reference.type))
(type (subscript value: (identifier) @reference.type))
(type (binary_operator (identifier) @reference.type))
(class_definition superclasses: (argument_list (identifier) @reference.type))
(class_definition superclasses: (argument_list (attribute attribute: (identifier) @reference.type)))
(class_definition superclasses: (argument_list (subscript value: (identifier) @reference.type)))
