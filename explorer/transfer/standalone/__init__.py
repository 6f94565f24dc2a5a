"""A script that trains one run again without the explorer: parts that `explorer.transfer.script` joins."""
