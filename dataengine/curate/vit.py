"""The vision transformer of Dosovitskiy 2021, from the tensors of a DINO or CLIP checkpoint.

Every size follows from the tensors' shapes; heads hold 64 numbers each, as in all published DINO, DINOv2
and CLIP models of the sizes S, B and L.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dataengine.errors import ModelError

HEAD = 64
SIDE = 224
"""Pixels a side, or the multiple of the patch below; places learned for another side are interpolated."""

# One vocabulary for both families: pattern in the checkpoint -> name here.
_NAMES = {
    "dino": (
        (r"cls_token", "token"),
        (r"pos_embed", "places"),
        (r"(?:reg_token|register_tokens)", "registers"),
        (r"patch_embed\.proj\.(weight|bias)", r"patch.\1"),
        (r"blocks\.(\d+)\.attn\.(qkv|proj)\.(weight|bias)", r"\1.\2.\3"),
        (r"blocks\.(\d+)\.mlp\.(fc1|fc2)\.(weight|bias)", r"\1.\2.\3"),
        (r"blocks\.(\d+)\.(norm1|norm2)\.(weight|bias)", r"\1.\2.\3"),
        (r"blocks\.(\d+)\.(ls1|ls2)\.gamma", r"\1.\2"),
        (r"norm\.(weight|bias)", r"last.\1"),
    ),
    "clip": (
        (r"visual\.class_embedding", "token"),
        (r"visual\.positional_embedding", "places"),
        (r"visual\.conv1\.weight", "patch.weight"),
        (r"visual\.ln_pre\.(weight|bias)", r"first.\1"),
        (r"visual\.transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)", r"\1.qkv.\2"),
        (r"visual\.transformer\.resblocks\.(\d+)\.attn\.out_proj\.(weight|bias)", r"\1.proj.\2"),
        (r"visual\.transformer\.resblocks\.(\d+)\.mlp\.c_fc\.(weight|bias)", r"\1.fc1.\2"),
        (r"visual\.transformer\.resblocks\.(\d+)\.mlp\.c_proj\.(weight|bias)", r"\1.fc2.\2"),
        (r"visual\.transformer\.resblocks\.(\d+)\.ln_(1|2)\.(weight|bias)", r"\1.norm\2.\3"),
        (r"visual\.ln_post\.(weight|bias)", r"last.\1"),
        (r"visual\.proj", "projection"),
    ),
}
_NEEDED = ("token", "places", "patch.weight", "0.qkv.weight", "0.fc1.weight", "last.weight")


class VisionTransformer(nn.Module):
    """Images to the embedding that the model's authors use: its class token.

    Args:
        kind: ``dino`` or ``clip``.
        tensors: The weights by the names above.
    """

    def __init__(self, kind: str, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", "_"), tensor)
        self._names = frozenset(tensors)
        self.depth = 1 + max(int(name.split(".")[0]) for name in tensors if name[0].isdigit())
        self.patch = int(tensors["patch.weight"].shape[-1])
        self.grid = SIDE // self.patch
        self.side = self.grid * self.patch
        # What their normalisations add before the root; OpenAI's CLIP approximates GELU by a sigmoid. (Some
        # later CLIPs do not: nothing in the weights tells, and their embeddings come out a little off.)
        self.epsilon, self.sigmoid = (1e-5, True) if kind == "clip" else (1e-6, False)

    @classmethod
    def from_tensors(cls, kind: str, tensors: Mapping[str, Tensor], path: Path) -> VisionTransformer:
        """Find the transformer among the tensors of a checkpoint; others (text, heads) are left out.

        Raises:
            ModelError: They are of another architecture; the message names ``path``.
        """
        found = {}
        for name, tensor in tensors.items():
            plain = name.removeprefix("module.").removeprefix("backbone.")
            for pattern, target in _NAMES[kind]:
                match = re.fullmatch(pattern, plain)
                if match:
                    found[match.expand(target)] = tensor
        missing = [name for name in _NEEDED if name not in found]
        if missing:
            wanted = "timm's or the authors'" if kind == "dino" else "open_clip's or OpenAI's"
            raise ModelError(
                f"{path} is no vision transformer under {wanted} names ({', '.join(missing)} not found): "
                f"curate.embed='{kind} PATH' reads no other"
            )
        network = cls(kind, found)
        try:
            with torch.inference_mode():
                network(torch.zeros(1, 3, network.side, network.side))
        except (RuntimeError, AttributeError, ValueError) as error:
            raise ModelError(
                f"{path}: its tensors are not those of one {kind} transformer ({str(error).splitlines()[0]})"
            ) from error
        return network

    def forward(self, images: Tensor) -> Tensor:
        """``[N, D]`` of ``[N, 3, side, side]`` standardised pixels."""
        patches = F.conv2d(images, self._get("patch.weight"), self._maybe("patch.bias"), self.patch)
        tokens = patches.flatten(2).transpose(1, 2)
        first = self._get("token").reshape(1, 1, -1).expand(len(images), -1, -1)
        tokens = torch.cat([first, tokens], 1) + self._places()
        registers = self._maybe("registers")
        if registers is not None:
            extra = registers.expand(len(images), -1, -1)
            tokens = torch.cat([tokens[:, :1], extra, tokens[:, 1:]], 1)
        if "first.weight" in self._names:
            tokens = self._norm("first", tokens)
        for block in range(self.depth):
            tokens = tokens + self._scaled(f"{block}.ls1", self._attend(block, tokens))
            tokens = tokens + self._scaled(f"{block}.ls2", self._expand(block, tokens))
        found = self._norm("last", tokens[:, 0])
        projection = self._maybe("projection")
        return found if projection is None else found @ projection

    def _attend(self, block: int, tokens: Tensor) -> Tensor:
        seen = self._linear(f"{block}.qkv", self._norm(f"{block}.norm1", tokens))
        number, length, width = tokens.shape
        parts = seen.reshape(number, length, 3, width // HEAD, HEAD).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        return self._linear(f"{block}.proj", mixed.transpose(1, 2).reshape(tokens.shape))

    def _expand(self, block: int, tokens: Tensor) -> Tensor:
        wide = self._linear(f"{block}.fc1", self._norm(f"{block}.norm2", tokens))
        wide = wide * torch.sigmoid(1.702 * wide) if self.sigmoid else F.gelu(wide)
        return self._linear(f"{block}.fc2", wide)

    def _places(self) -> Tensor:
        """``[1, 1 + grid ** 2, D]``; timm's models with registers give the class token no place."""
        places = self._get("places")
        places = places.reshape(1, -1, places.shape[-1])
        side = math.isqrt(places.shape[1])
        first = places[:, : places.shape[1] - side**2]
        if side != self.grid:
            grid = places[:, first.shape[1] :].reshape(1, side, side, -1).permute(0, 3, 1, 2)
            grid = F.interpolate(grid, (self.grid, self.grid), mode="bicubic", align_corners=False)
            places = torch.cat([first, grid.flatten(2).transpose(1, 2)], 1)
        return places if first.shape[1] else F.pad(places, (0, 0, 1, 0))

    def _norm(self, name: str, tokens: Tensor) -> Tensor:
        weight, bias = self._get(f"{name}.weight"), self._get(f"{name}.bias")
        return F.layer_norm(tokens, weight.shape, weight, bias, self.epsilon)

    def _linear(self, name: str, tokens: Tensor) -> Tensor:
        return F.linear(tokens, self._get(f"{name}.weight"), self._maybe(f"{name}.bias"))

    def _scaled(self, name: str, tokens: Tensor) -> Tensor:
        return tokens * self._get(name) if name in self._names else tokens

    def _get(self, name: str) -> Tensor:
        return self.get_buffer(name.replace(".", "_"))

    def _maybe(self, name: str) -> Tensor | None:
        return self._get(name) if name in self._names else None
