"""Redis: claims, settlements, records, tables and the node's lease."""
