"""The paper's claims beyond its tables: Figures 1, 6 and 7, sections 3.3, 4.1 and 4.2."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One claim that can be tested.

    Attributes:
        key: short name.
        text: the claim.
        source: its place in the paper.
        nets: ids of the nets that it compares, for training them again.
    """

    key: str
    text: str
    source: str
    nets: tuple[str, ...]


CLAIMS: dict[str, Claim] = {
    claim.key: claim
    for claim in (
        Claim("degradation", "A deeper plain net has a higher training error.",
              "Figure 1; Figure 6, left", ("plain-20", "plain-56")),
        Claim("plain-110", "The plain net of 110 layers stays above 60 % error.",
              "section 4.2; Figure 6", ("plain-110",)),
        Claim("no-degradation", "A deeper residual net has no higher training error.",
              "Figure 6, middle", ("residual-20", "residual-56")),
        Claim("gain", "A deeper residual net has a lower test error.",
              "Figure 6, middle; Table 6", ("residual-20", "residual-110")),
        Claim("twins", "At 56 layers the residual net has a lower test error than its plain twin.",
              "Figure 6", ("plain-56", "residual-56")),
        Claim("parameters", "Plain and residual nets of one depth have equally many parameters.",
              "sections 3.3 and 4.2", ("plain-56", "residual-56")),
        Claim("response", "Residual nets respond less than plain nets.",
              "Figure 7", ("plain-56", "residual-56")),
        Claim("response-depth", "A deeper residual net responds less per layer.",
              "Figure 7", ("residual-20", "residual-56", "residual-110")),
        Claim("gradients", "Gradients of deep plain nets keep healthy norms.",
              "section 4.1", ("plain-56",)),
        Claim("very-deep", "A much deeper residual net still trains, but has a higher test error.",
              "section 4.2; Table 6, 110 and 1202 layers", ("residual-110", "residual-1202")),
    )
}  # fmt: skip
