import numpy as np

from models.hashed_grams import grams_of


def test_all_pieces_of_up_to_five_characters_are_counted() -> None:
    assert len(grams_of("ab", 1 << 16)) == 4 + 3 + 2 + 1, "the pieces of ' ab '"


def test_case_and_blanks_do_not_matter_but_the_space_does() -> None:
    assert np.array_equal(grams_of("Thank  you\n", 1 << 16), grams_of("thank you", 1 << 16))
    assert not np.array_equal(grams_of("thank you", 1 << 16), grams_of("thank you", 1 << 16, space=2))


def test_half_of_a_pair_of_surrogates_is_a_character() -> None:
    assert len(grams_of("a\ud83d", 1 << 16)) == 4 + 3 + 2 + 1
