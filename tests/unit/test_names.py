from hypothesis import given
from hypothesis import strategies as st

from fairlead.names import dns_label


def test_accents_are_dropped_and_other_characters_become_dashes():
    assert dns_label("Évaluation: Modèle #2") == "evaluation-modele-2"


def test_long_texts_with_the_same_beginning_stay_apart():
    first, second = dns_label("a" * 80), dns_label("a" * 81)
    assert (len(first), len(second)) == (63, 63)
    assert first != second


@given(st.text(), st.integers(min_value=8, max_value=63))
def test_every_text_gives_a_valid_label(text, longest):
    label = dns_label(text, max_length=longest)
    assert 0 < len(label) <= longest
    assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert label[0] != "-"
    assert label[-1] != "-"
