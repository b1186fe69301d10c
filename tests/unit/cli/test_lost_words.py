"""What is lost of rows that are taken is told in plain words, whatever its reason is called inside."""

from twinops.cli._shop_files import _lost


def test_every_reason_is_a_sentence_and_a_small_count_is_hidden():
    lost = {"declared_language": 640, "unknown_answer_taken_for_no": 12, "gender_unreadable": None}
    assert list(_lost(lost)) == [
        "texts that are not read, for they are declared not to be in English: 640; their rows are taken",
        "answers that are no yes and no no that is known, taken for a no: 12",
        "answers that could not be read, left empty: gender not told",
    ]
