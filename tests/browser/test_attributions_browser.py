"""What a person asks of the Attributions page: their own photograph, several methods, a stop."""

from io import BytesIO

import pytest
from playwright.sync_api import expect
from visit import complaints, settle

from explorer.data.sample_photos import photograph

pytestmark = pytest.mark.browser
NET = "net=ResNet-20,+digits,+seed+0"


def open_page(page, server, query):
    page.goto(f"{server}/attributions?{query}")
    expect(page.get_by_text("gives").first).to_be_visible()


@pytest.fixture(scope="module")
def jpeg():
    """A real photograph as a JPEG file."""
    file = BytesIO()
    photograph("china").image.save(file, "JPEG")
    return {"name": "palace.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def test_two_methods_side_by_side_on_an_uploaded_jpeg(page, server, jpeg):
    open_page(page, server, NET)
    page.get_by_role("button", name="Your own picture").click()
    page.locator("input[type=file]").first.set_input_files(jpeg)
    expect(page.get_by_text("Resized from 640x427 to 8x8")).to_be_visible()
    page.keyboard.press("Escape")
    first = page.locator(".st-key-map-integrated_gradients-first .heatmaplayer image").first
    second = page.locator(".st-key-map-layer_grad_cam-first .heatmaplayer image").first
    expect(first).to_be_visible()
    expect(second).to_be_visible()
    expect(page.get_by_text("Integrated gradients puts half of what speaks for it on")).to_be_visible()
    expect(page.locator(".st-key-conductance .js-plotly-plot")).to_be_visible()
    settle(page)
    assert abs(first.bounding_box()["y"] - second.bounding_box()["y"]) < 2
    assert complaints(page) == []


def test_another_class_is_in_the_url(page, server):
    open_page(page, server, f"{NET}&index=7")
    expect(page.get_by_text("Likeliest: 9 74.7 %")).to_be_visible()
    settle(page)
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name="3", exact=True).click()
    page.wait_for_url("**target=3**")
    expect(page.get_by_text("gives 3 a probability of")).to_be_visible()
    assert complaints(page) == []


def test_a_slow_method_can_be_stopped_and_begun_again(page, server):
    deep = "net=untrained:residual-602"
    page.goto(f"{server}/attributions?{deep}&methods=KernelShap&kernel_shap-n_samples=5000")
    page.get_by_role("button", name="Stop computing").click()
    expect(page.get_by_text("KernelShap, ResNet-602, untrained was stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Compute it")).to_be_visible()
    assert complaints(page) == []
