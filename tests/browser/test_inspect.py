"""What a person with a picture does: drop it, pick a block, read its maps; and drop what is no picture."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from visit import complaints, settle

pytestmark = pytest.mark.browser
NET = "net=ResNet-32,+digits,+seed+0"


def jpeg(name="mountain.jpg", size=(320, 200)):
    """A real JPEG of something that is not flat."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    shades = np.stack([rows % 256, columns % 256, (rows + columns) % 256], -1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(shades).save(file, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": file.getvalue()}


def open_inspect(page, server, query=""):
    page.goto(f"{server}/inspect?{NET}{query}")
    # the first net of a session wakes torch
    expect(page.locator(".maps img")).to_have_count(4, timeout=120_000)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def upload(page, *files):
    page.get_by_role("button", name="Your own picture").click()
    page.locator("input[type=file]").set_input_files(list(files))


def test_a_picture_is_dropped_and_block_5_chosen(page, server):
    open_inspect(page, server)
    upload(page, jpeg())
    expect(page.locator(".seen").get_by_text("mountain.jpg")).to_be_visible()
    expect(page.get_by_text("Resized from 320x200 to 8x8")).to_be_visible()
    page.keyboard.press("Escape")
    slider = page.locator("input[type=range]").first
    slider.focus()
    for key in ("Home", *["ArrowRight"] * 4):
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"Block 5, channel \d+ of 16"))).to_be_visible()
    for title in ("x", "F(x)", "x + F(x)", "output"):
        expect(page.locator(".maps figcaption b").get_by_text(title, exact=True)).to_be_visible()
    assert page.evaluate(WIDTHS) == [8, 8, 8, 8]
    expect(page.locator(".tiles .chosen figcaption").first).to_have_text("5")
    page.wait_for_url("**block=5**")
    assert complaints(page) == []


WIDTHS = """() => Promise.all([...document.querySelectorAll('.maps img')].map(
    image => image.decode().then(() => image.naturalWidth)))"""
# only where all pictures have been decoded
LOOK = """() => [...document.querySelectorAll('.closeup')].map(part => ({
    at: part.dataset.at,
    words: part.innerText.replace(/\\s+/g, ' '),
    pixels: [...part.querySelectorAll('.maps img')].map(image => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        canvas.getContext('2d').drawImage(image, 0, 0);
        return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
    }),
}))"""
# what is drawn before any other code has run, thus before the server can have answered
AT_ONCE = """async field => {
    document.querySelector(field).focus();
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {
        key: 'ArrowUp', code: 'ArrowUp', bubbles: true, cancelable: true}));
    const drawn = [...document.querySelectorAll('.closeup')].map(part => part.dataset.at);
    await Promise.all([...document.querySelectorAll('.maps img')].map(image => image.decode()));
    return drawn;
}"""


@pytest.mark.parametrize("net", ["ResNet-32,+digits,+seed+0", "plain-20,+digits,+seed+0"])
def test_a_key_draws_the_same_in_the_browser_as_the_server_does(page, server, net):
    page.goto(f"{server}/inspect?net={net}&block=6&channel=3&picture=Flower+(photograph)")
    expect(page.locator(".closeup p").first).to_contain_text("Block 6, channel 3", timeout=120_000)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    page.wait_for_selector("[data-following]", state="attached")
    at_once = page.evaluate(AT_ONCE, ".st-key-block input[type=range]")
    assert at_once == ["7-3", "7-3"]
    ahead = page.evaluate(LOOK)
    page.wait_for_url("**block=7**")
    page.reload()
    expect(page.locator(".closeup p").first).to_contain_text("Block 7, channel 3")
    expect(page.locator(".closeup")).to_have_count(2)
    page.evaluate(WIDTHS)
    truth = page.evaluate(LOOK)
    assert [part["words"] for part in ahead] == [part["words"] for part in truth]
    drawn, meant = (np.concatenate([*part[0]["pixels"]]) for part in (ahead, truth))
    assert np.abs(drawn.astype(int) - meant).max() <= 2  # the browser's scale has 1,023 steps


def test_a_tile_is_pressed_and_the_keys_step_from_the_strongest_channel(page, server):
    open_inspect(page, server, "&block=4")
    page.wait_for_selector("[data-following]", state="attached")
    page.locator(".tiles.inspect-residual figure").nth(8).click()
    page.wait_for_url("**block=9**")
    expect(page.get_by_text(re.compile(r"In block 9,"))).to_be_visible()
    shown = int(page.locator(".closeup").first.get_attribute("data-at").split("-")[1])
    page.locator(".st-key-channel input").focus()
    page.keyboard.press("ArrowDown" if shown else "ArrowUp")
    wanted = shown - 1 if shown else 1
    page.wait_for_url(f"**channel={wanted}**")
    page.locator(".inspect-residual-channels figure").nth(11).click()
    page.wait_for_url("**channel=11**")
    expect(page.get_by_text("Channel 11 of block 9")).to_be_visible()
    assert complaints(page) == []


def test_a_tile_that_is_drawn_anew_while_it_is_pressed_is_chosen_all_the_same(page, server):
    open_inspect(page, server, "&block=4&channel=2")
    page.wait_for_selector("[data-following]", state="attached")
    settle(page)
    page.locator(".inspect-residual-channels figure").nth(11).hover()
    page.mouse.down()
    page.evaluate("""() => {
        const tiles = document.querySelector('.inspect-residual-channels');
        tiles.replaceWith(tiles.cloneNode(true));
    }""")
    page.mouse.up()
    page.wait_for_url("**channel=11**")


def test_a_broken_file_is_one_message_and_the_page_still_works(page, server):
    open_inspect(page, server)
    upload(page, {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": jpeg()["buffer"][:300]})
    expect(page.get_by_text("broken.jpg cannot be read as an image")).to_be_visible()
    expect(page.locator(".stAlert")).to_have_count(1)
    expect(page.locator(".maps img")).to_have_count(4)
    page.locator("input[type=file]").set_input_files([jpeg("second.jpg")])
    expect(page.locator(".seen").get_by_text("second.jpg")).to_be_visible(timeout=90_000)
    expect(page.locator(".stAlert")).to_have_count(0)
    assert complaints(page) == []


def test_a_picture_is_pasted(page, server):
    open_inspect(page, server)
    paste = """bytes => {
        const clipboard = new DataTransfer();
        clipboard.items.add(new File([new Uint8Array(bytes)], "pasted.jpg", {type: "image/jpeg"}));
        document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard, bubbles: true}));
    }"""
    page.wait_for_selector("[data-listening]", state="attached")
    page.evaluate(paste, list(jpeg()["buffer"]))
    expect(page.locator(".seen").get_by_text("pasted.jpg")).to_be_visible()
    assert complaints(page) == []


def test_a_hundred_files_at_once_are_answered(page, server):
    open_inspect(page, server)
    upload(page, *[jpeg(f"picture-{number}.jpg", (40 + number, 30)) for number in range(100)])
    expect(page.locator(".seen figcaption b").first).to_contain_text("picture-")
    expect(page.get_by_text("the first 12 were looked at").first).to_be_visible()
    expect(page.locator(".maps img")).to_have_count(4)
    assert complaints(page) == []
