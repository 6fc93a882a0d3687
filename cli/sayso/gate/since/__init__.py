"""A check of what is new since an earlier one."""
