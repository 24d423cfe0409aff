from bench.speech import SENTENCES, Heard, Report, lines_of, word_errors, words_of


def test_wrong_missing_and_added_words_are_counted() -> None:
    said = words_of("The train leaves at nine.")

    assert word_errors(said, words_of("the train leaves at 9")) == 0
    assert word_errors(said, words_of("The rain leaves at nine")) == 1
    assert word_errors(said, words_of("Train leaves at nine o'clock")) == 2
    assert word_errors(said, []) == 5
    assert word_errors([], said) == 5


def test_the_figures_are_of_all_sentences() -> None:
    one = Heard("one two", "one too", sound_s=2.0, reading_s=0.5, hearing_s=1.0)
    other = Heard("three four", "three four", sound_s=2.0, reading_s=0.5, hearing_s=1.0)

    assert lines_of(Report([one, other], 1.0, 2.0)) == [
        "2 sentences, 4 words, 4.0 s of sound",
        "word error rate  25.0% (1 of 4)",
        "voice            real-time factor 0.25, loaded in 1.0 s",
        "recogniser       real-time factor 0.50, loaded in 2.0 s",
    ]


def test_there_are_thirty_sentences() -> None:
    lines = SENTENCES.read_text().splitlines()

    assert len(set(lines)) == 30
    assert all(words_of(line) for line in lines)
