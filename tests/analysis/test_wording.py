"""Words: what a stranger wrote must not become markup."""

import pytest

from explorer.analysis.wording import difference, literal, points, points_between


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ResNet-20, lr 0.1!", "ResNet-20, lr 0.1!"),
        ("**bold**", r"\*\*bold\*\*"),
        ("![x](http://e)", r"!\[x\](http\://e)"),
        ("two\nlines `code` $x$", r"two lines \`code\` \$x\$"),
        (":red[x] <b>", r"\:red\[x\] \<b\>"),
    ],
)
def test_markup_is_shown_and_not_obeyed(text, shown):
    assert literal(text) == shown


@pytest.mark.parametrize(
    ("more", "less", "said"),
    [
        (0.24, 0.13, "+0.1 points"),
        (1.7, 1.94, "−0.2 points"),
        (0.04, 0.01, "0.0 points"),
        (70.4, 0.0, "+70.4 points"),
    ],
)
def test_a_difference_is_that_of_the_numbers_shown(more, less, said):
    assert points_between(more, less) == said
    assert difference(more, less) == round(float(f"{more:.1f}") - float(f"{less:.1f}"), 1)


def test_nothing_has_no_sign_and_no_value_is_said():
    assert points(-0.04) == "0.0 points"
    assert points(float("nan")) == "no value"
