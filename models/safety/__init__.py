"""Guards of texts (`text`) and of pictures (`images`), both with the interface in `guard`, and rules that find
`personal_data`."""
