"""Definitions that training shares with the library: those that `lineament train --network-json NAME` prints.

`read` sets them. It also computes the worked examples that stand there: a definition in these scripts that differs from the
library's is an error at once.
"""

import json


class Common:
    """`topology`, `crop`, `split`, `initial` and `loss`, as lineament-cli/src/train/network.rs writes them."""

    def read(self, path):
        """The network of the file, for networks.Listed."""
        from faces import crop_of, is_validation

        with open(path) as file:
            network = json.load(file)
        if "training" not in network:
            raise SystemExit(f"{path}: not a landmark network, or written by an earlier version: print it again")
        vars(self).update(network["training"])
        for example in self.split["examples"]:
            if is_validation(example["name"], 0.5) != example["is_validation"]:
                raise SystemExit(f"faces.is_validation: {example['name']} is on the wrong side of the split")
        example = self.crop["example"]
        center, side, roll = crop_of(example["points"])
        found, expected = [*center, side, roll], [*example["center"], example["side"], example["roll_rad"]]
        if any(abs(a - b) > 1e-3 for a, b in zip(found, expected)):
            raise SystemExit(f"faces.crop_of: {found}, but the library's crop is {expected}")
        return network


common = Common()
