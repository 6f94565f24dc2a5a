"""What any visit of a page asks: is it done, what did the console say, what is folded away."""

PATIENCE_MS = 60_000
"""For whatever a page has to show, on a machine that does other work as well."""

# on a subpage Streamlit looks for its server below the page's own path first
_PROBING = "the server responded with a status of 404"


def complaints(page):
    """What the console said, but for Streamlit's own search for its server."""
    return [text for text in page.complaints if _PROBING not in text]


def settle(page):
    """Wait until the server has nothing left to send: what is pressed before may be drawn anew."""
    page.wait_for_selector('[data-testid=stApp][data-test-script-state="notRunning"]')


def unfold(page, title):
    """Open a fold by its title; what is pressed while it still opens would be missed."""
    page.get_by_text(title, exact=True).first.click()
    page.wait_for_timeout(800)
