; inherits: ecmascript
(class_heritage [(identifier) (member_expression) (call_expression)] @base)
(class_heritage (identifier) @reference.type)
(field_definition
  property: [(property_identifier) (private_property_identifier)] @name) @definition.field
(field_definition
  property: [(property_identifier) (private_property_identifier)] @name
  value: (arrow_function body: (_) @body)) @definition.function
(field_definition value: (new_expression constructor: (_) @callee))
(formal_parameters [
  (identifier) @ignore
  (assignment_pattern left: (identifier) @ignore)
  (rest_pattern (identifier) @ignore)
])
(jsx_opening_element name: (identifier) @reference.call)
(jsx_self_closing_element name: (identifier) @reference.call)
