"""Words: what a stranger wrote must not become markup."""

import pytest

from explorer.analysis.wording import literal


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
