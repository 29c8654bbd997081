"""The dwelling of every household and the file of every dangerous house (一户一档; C27, C29)."""
