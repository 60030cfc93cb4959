"""Write many objects of any Omni types by one plan: in order, checked before the first write, with reverts."""
