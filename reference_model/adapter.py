"""What tuning adds to the model: two thin matrices beside each one of its layers.

Such an adapter (LoRA) is stored in a tenth of the room that the model takes, under the
names that the library PEFT gives to it. Letters: R rank, I inputs, O outputs.
"""

import math
from collections.abc import Iterator, Mapping

import torch
from safetensors.torch import load, save
from torch import Tensor

from reference_model.model import Llama

RANK = 8
_NAME = "base_model.model.{}.lora_{}.weight"


class Adapter:
    """All thin matrices in one vector, so that an optimizer has one thing to move."""

    def __init__(self, model: Llama) -> None:
        """One that changes nothing yet."""
        self._sizes = dict(_sizes(model))
        chance = torch.Generator().manual_seed(1)
        parts = []
        for outputs, inputs in self._sizes.values():
            down = torch.randn(RANK * inputs, generator=chance) / math.sqrt(inputs)
            parts += [down, torch.zeros(outputs * RANK)]
        self.flat = torch.cat(parts)

    def changes(self) -> dict[str, Tensor]:
        """What is added to each matrix of the model, by its name; (O, I)."""
        return {name: up @ down for name, (down, up) in self._pairs().items()}

    def load(self, content: bytes) -> None:
        """Be the adapter that was stored. Raises KeyError where it is of no use."""
        stored = load(content)
        names = (_NAME.format(name, side) for name in self._sizes for side in "AB")
        self.flat = torch.cat([stored[name].float().flatten() for name in names])

    def stored(self) -> bytes:
        """The adapter in half precision, as safetensors."""
        named = {
            _NAME.format(name, side): part.detach().half().contiguous()
            for name, pair in self._pairs().items()
            for side, part in zip("AB", pair, strict=True)
        }
        content: bytes = save(named, {"format": "pt"})
        return content

    def _pairs(self) -> Mapping[str, tuple[Tensor, Tensor]]:
        """For each matrix (R, I) and (O, R)."""
        shapes = [
            shape
            for outputs, inputs in self._sizes.values()
            for shape in ((RANK, inputs), (outputs, RANK))
        ]
        parts = torch.split(self.flat, [math.prod(shape) for shape in shapes])
        shaped = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
        pairs = zip(shaped[::2], shaped[1::2], strict=True)
        return dict(zip(self._sizes, pairs, strict=True))


def adapted(model: Llama, content: bytes) -> Llama:
    """``model`` itself, changed as the stored adapter says."""
    adapter = Adapter(model)
    adapter.load(content)
    matrices = dict(model.named_modules())
    for name, change in adapter.changes().items():
        weight = matrices[name].weight
        assert isinstance(weight, Tensor)
        weight.data += change.to(weight.dtype)
    return model


def _sizes(model: Llama) -> Iterator[tuple[str, tuple[int, int]]]:
    """The matrices of the layers, by the names of their modules."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            yield name, (module.out_features, module.in_features)
