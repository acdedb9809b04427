"""The review of a folder's table: a person accepts or corrects its doubtful fields on a page of this machine."""
