"""What goes over the wire: bodies that are read, views that are written, each field described."""
