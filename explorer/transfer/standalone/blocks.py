"""The block class of the run's family: replaced by its text in `explorer.nets.blocks`."""

from explorer.nets.blocks import Block, PostActBlock

FamilyBlock: type[Block] = PostActBlock
