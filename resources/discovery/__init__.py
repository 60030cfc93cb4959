"""Lists of machines and clusters in the forms of the tools that ask a control plane for them, a plugin in each folder.

``machines`` and ``clusters`` are what these plugins share: which objects there are, and what is known of each.
"""
