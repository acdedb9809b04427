"""From detected lines, in no order, to the lines of a page as a person reads them."""
