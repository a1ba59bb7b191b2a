"""What other tools load by entry point: exporters of nbconvert, an engine of papermill.

Belongs here: the classes that those tools ask for. Nothing else of Fairlead imports them, so that
neither tool is loaded before it is used.
"""
