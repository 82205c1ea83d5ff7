"""Pure methods on arrays and tables: no input or output, no clock, no other room."""
